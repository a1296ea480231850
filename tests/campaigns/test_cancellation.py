"""Whoever gives up waiting, at whatever moment, leaves link, board and the other handles sound."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bridge.errors import BridgeError
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.memstream import MemoryStream
from tests.campaigns.kept_board import KeptBoard, kept_board
from tests.campaigns.test_floods import HEAP

PEER = "10.77.0.1"
Work = Callable[[KeptBoard], Awaitable[Any]]


async def make(bench: KeptBoard) -> Any:
    return await bench.board.net.createConnection()


async def connect(bench: KeptBoard) -> None:
    socket = await make(bench)
    connected = asyncio.Event()
    try:
        await socket.connect(7, PEER, lambda socket: connected.set())
        await connected.wait()
        await socket.close()
    finally:
        await socket.release()  # one that is in use and has handlers stays, as on the board itself


async def send(bench: KeptBoard) -> None:
    socket = await make(bench)
    connected = asyncio.Event()
    try:
        await socket.connect(7, PEER, lambda socket: connected.set())
        await connected.wait()
        await socket.send(b"x" * 5000)
    finally:
        await socket.release()


async def listen(bench: KeptBoard) -> None:
    server = await bench.board.net.createServer()
    try:
        await server.listen(8080, lambda socket: None)
        await server.close()
    finally:
        await server.release()


async def resolve(bench: KeptBoard) -> None:
    assert await bench.board.net.dns.resolve("peer.test") == PEER


async def execute(bench: KeptBoard) -> None:
    assert await bench.board.exec("return ...", b"x" * 500, [1, [2]]) == (b"x" * 500, [1, [2]])


async def execute_long(bench: KeptBoard) -> None:
    assert await bench.board.exec("-- " + "x" * 60 + "\n" + "-- more\n" * 600 + "return ...", 1) == 1


async def object_and_table(bench: KeptBoard) -> None:
    timer, table = await bench.board.eval("tmr.create(), {1, {2}}")
    assert table == [1, [2]]
    await timer.release()


WORKS: dict[str, Work] = {
    work.__name__: work for work in (connect, send, listen, resolve, execute, execute_long, object_and_table)
}


async def echo(stream: MemoryStream) -> None:
    while data := await stream.read(1000):
        stream.write(data)
    stream.close()


async def check_sound(bench: KeptBoard, socket: Any, got: bytearray, news: asyncio.Event) -> None:
    assert await bench.board.eval("... + 1", 1) == 2
    got.clear()
    news.clear()
    await socket.send(b"ping")
    async with asyncio.timeout(30):
        await news.wait()
    assert bytes(got) == b"ping"


def give_up_at(name: str, moments: list[float], lua: str) -> None:
    with kept_board(lua=lua) as bench:

        async def give_up(moment: float) -> None:
            task = asyncio.ensure_future(WORKS[name](bench))
            if moment < 0:  # so many turns of the loop, in no time
                for _ in range(int(-moment)):
                    await asyncio.sleep(0)
            else:
                await asyncio.sleep(moment)
            task.cancel()
            try:
                await task
            except (asyncio.CancelledError, BridgeError):
                pass
            await asyncio.sleep(0.2)

        async def main() -> None:
            network = bench.virtual.network
            assert isinstance(network, MemoryNetwork)
            network.serve(PEER, 7, echo)
            network.zone["peer.test"] = PEER
            socket = await bench.board.net.createConnection()
            got, news, connected = bytearray(), asyncio.Event(), asyncio.Event()
            socket.on("receive", lambda socket, data: (got.extend(data), news.set()))
            await socket.connect(7, PEER, lambda socket: connected.set())
            await connected.wait()
            for _ in range(2):  # what is loaded at the first use is there
                await WORKS[name](bench)
            left = []
            for _ in range(3):
                for moment in moments:
                    await give_up(moment)
                    await check_sound(bench, socket, got, news)
                gc.collect()
                await asyncio.sleep(25)  # what the stack keeps of closed sockets
                await WORKS[name](bench)
                gc.collect()
                await asyncio.sleep(25)
                left.append(await bench.board.exec(HEAP))
            assert left[2] >= left[1] - 150, left

        bench.run(main())
        assert bench.errors == [] and bench.board.last_reset is None
        assert [text for text in bench.faults if "stale handle" not in text] == []


@pytest.mark.parametrize("name", WORKS)
def test_whoever_gives_up_leaves_everything_sound(name: str) -> None:
    give_up_at(name, [-1, -2, -5, *(0.004 * step for step in range(1, 9)), 0.1, 0.5], "5.1")


@pytest.mark.nightly
@pytest.mark.parametrize("lua", ["5.1", "5.3"])
@pytest.mark.parametrize("name", WORKS)
def test_whoever_gives_up_at_any_moment_leaves_everything_sound(name: str, lua: str) -> None:
    give_up_at(name, [*range(-30, 0), *(0.0005 * step for step in range(1, 1200))], lua)
