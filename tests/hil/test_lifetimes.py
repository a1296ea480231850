"""Sockets come and go, and the heap comes back: the short form of tests/campaigns/lifetimes.py, for any board."""

from __future__ import annotations

import asyncio
import gc

from tests.hil.conftest import Board
from tests.hil.peers import PATIENCE, echo, tcp_server

#: Cycles before the first look, and between the looks. TIME_WAIT keeps 184 bytes of each for 10 s.
CYCLES = 30


async def test_thirty_exchanges_leave_the_heap_where_it_was(board: Board, host: str) -> None:
    async def once(port: int) -> None:
        socket = await board.net.createConnection()
        connected, answered = asyncio.Event(), asyncio.Event()
        socket.on("connection", lambda _: connected.set())
        socket.on("receive", lambda _, data: answered.set())
        await socket.connect(port, host)
        await connected.wait()
        await socket.send(b"ping")
        await answered.wait()
        await socket.close()
        await socket.release()

    async def heap_after(port: int) -> int:
        for _ in range(CYCLES):
            await once(port)
        gc.collect()
        await asyncio.sleep(12)  # what the stack keeps of closed sockets for 10 s is gone then
        return int(await board.exec("collectgarbage() collectgarbage() return node.heap()"))

    async with asyncio.timeout(6 * PATIENCE), tcp_server(host, echo) as port:
        before = await heap_after(port)
        after = await heap_after(port)
    print(f"heap {before} and after {CYCLES} more exchanges {after}")
    assert abs(after - before) <= max(0.01 * before, 300)
