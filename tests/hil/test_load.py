"""The link under load: sockets both ways and calls between them, and nothing is lost or mixed up."""

from __future__ import annotations

import asyncio
import random

from tests.hil.conftest import Board
from tests.hil.peers import PATIENCE, echo, tcp_server


async def test_calls_are_answered_while_sockets_are_busy(board: Board, host: str) -> None:
    sent = random.Random(2).randbytes(20_000)
    async with asyncio.timeout(4 * PATIENCE), tcp_server(host, echo) as port:

        async def transfer() -> bytes:
            socket = await board.net.createConnection()
            back, complete, connected = bytearray(), asyncio.Event(), asyncio.Event()

            def receive(_: object, data: bytes) -> None:
                back.extend(data)
                if len(back) >= len(sent):
                    complete.set()

            socket.on("connection", lambda _: connected.set())
            socket.on("receive", receive)
            await socket.connect(port, host)
            await connected.wait()
            await socket.send(sent)
            await complete.wait()
            await socket.close()
            await socket.release()
            return bytes(back)

        async def ask() -> list[object]:
            return [await board.lua.tostring(number) for number in range(40)]

        one, other, answers = await asyncio.gather(transfer(), transfer(), ask())
    assert one == other == sent
    assert answers == [str(number).encode() for number in range(40)]


async def test_sockets_that_come_and_go_leave_the_heap_where_it_was(board: Board, host: str) -> None:
    async def once(port: int) -> None:
        socket = await board.net.createConnection()
        ended = asyncio.Event()
        socket.on("connection", lambda _: ended.set())
        await socket.connect(port, host)
        await ended.wait()
        await socket.close()
        await socket.release()

    async def heap_after(cycles: int, port: int) -> int:
        for _ in range(cycles):
            await once(port)
        for _ in range(2):
            await board.lua.collectgarbage()  # what has a finalizer is freed by the second
        return int(await board.lua.node.heap())

    async with asyncio.timeout(4 * PATIENCE), tcp_server(host, echo) as port:
        # Tables and call shapes grow once to what this needs, and stay.
        for _ in range(2):
            before = await heap_after(10, port)
        # A connection that the board closed first keeps its 184-byte block for 10 s (TIME_WAIT).
        assert before - await heap_after(10, port) < 10 * 184 + 500


async def test_a_timer_of_the_board_calls_the_host(board: Board) -> None:
    ticks: asyncio.Queue[int] = asyncio.Queue()
    timer = await board.lua.tmr.create()
    async with asyncio.timeout(PATIENCE):
        await timer.alarm(50, 1, lambda *_: ticks.put_nowait(1))
        for _ in range(5):
            await ticks.get()
        await timer.unregister()
        await timer.release()


async def test_a_flood_of_callbacks_is_cut_off_and_the_board_lives(board: Board) -> None:
    """A timer of one millisecond is more than a line carries: calls are dropped, nothing else is."""
    ticks: asyncio.Queue[int] = asyncio.Queue()
    timer = await board.lua.tmr.create()
    async with asyncio.timeout(2 * PATIENCE):
        await timer.alarm(1, 1, lambda *_: ticks.put_nowait(1))
        for number in range(10):
            await ticks.get()
            assert await board.lua.tostring(number) == b"%d" % number
        await timer.unregister()
        await timer.release()
        assert await board.eval("6*7") == 42
