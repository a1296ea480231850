"""A slow reader holds up neither the board nor the sockets beside it, and loses nothing."""

from __future__ import annotations

import asyncio

import pytest

from bridge.virtual.lwip.memstream import MemoryStream
from tests.campaigns.slow_reader import Outcome, Pusher, Reader, slow_beside_quick
from tests.campaigns.stage import BUILDS, PEER, Stage, play
from tests.variants import by_night


def judge(outcome: Outcome) -> None:
    print(outcome)
    assert outcome.share >= 0.8
    assert min(outcome.lowest) > 20_000, "lowest with the quick socket, with the slow one, with both"
    assert outcome.memory < 100_000


def test_a_slow_reader_beside_a_quick_one() -> None:
    judge(slow_beside_quick(40_000, "5.3", window=10.0, speeds=(115_200,)))


@pytest.mark.parametrize("build", by_night(BUILDS, but=["5.1 float"]))
def test_the_heap_beside_a_quick_socket_on_a_fast_line(build: str) -> None:
    # The faster the line, the more is on the board at once. What is worst comes several times a second.
    judge(slow_beside_quick(24_000, build, window=5.0))


@pytest.mark.nightly
@pytest.mark.timeout(3 * 3600)
@pytest.mark.parametrize("build", BUILDS)
def test_a_megabyte_read_at_a_kilobyte_a_second(build: str) -> None:
    judge(slow_beside_quick(1_000_000, build))


@pytest.mark.parametrize("build", by_night(["5.1 float", "5.3"], but=["5.3"]))
def test_single_bytes_do_not_fill_the_heap(build: str) -> None:
    data = bytes(range(256)) * 20

    async def trickle(stream: MemoryStream) -> None:
        for byte in data:
            stream.write(bytes((byte,)))
            await asyncio.sleep(0.0003)

    async def scenario(stage: Stage) -> None:
        stage.network.serve(PEER, 80, trickle)
        reader = Reader(await stage.board.net.createConnection(), 1500)
        got = bytearray()
        before = stage.unused()
        await reader.socket.connect(80, PEER)
        slowly = reader._receive
        reader._receive = lambda socket, piece: (got.extend(piece), slowly(socket, piece))  # type: ignore[method-assign]
        lowest = before
        while not reader.ended.is_set():
            await asyncio.sleep(0.1)
            lowest = min(lowest, stage.unused())
        print("lowest", lowest)
        assert bytes(got) == data and reader.code == 0
        assert lowest > 20_000, "single bytes join behind ten events; below 3 KB a connection is given up"

    play(scenario, speeds=(), **BUILDS[build])


def test_windows_that_two_sockets_get_at_once_are_no_loss() -> None:
    async def scenario(stage: Stage) -> None:
        gate = asyncio.Event()
        pushers = [Pusher(12_000, seed) for seed in range(2)]
        readers = []
        for number, pusher in enumerate(pushers):

            async def push(stream: MemoryStream, pusher: Pusher = pusher) -> None:
                await gate.wait()
                await pusher(stream)

            stage.network.serve(PEER, 80 + number, push)
            readers.append(Reader(await stage.board.net.createConnection(), 1000))
            await readers[-1].socket.connect(80 + number, PEER)
        await asyncio.sleep(1)
        gate.set()
        for reader, pusher in zip(readers, pushers, strict=True):
            await reader.ended.wait()
            assert (reader.code, reader.got) == (0, 12_000)
            assert reader.digest.digest() == pusher.digest.digest()

    play(scenario, speeds=(), lua="5.3")


def test_more_windows_than_the_heap_has_room_for_cost_connections_and_not_the_board() -> None:
    async def scenario(stage: Stage) -> None:
        gate = asyncio.Event()

        async def push(stream: MemoryStream) -> None:
            await gate.wait()
            stream.write(bytes(12_000))
            await stream.drain()

        stage.network.serve(PEER, 80, push)
        readers = []
        for _ in range(5):
            readers.append(Reader(await stage.board.net.createConnection(), 1000))
            await readers[-1].socket.connect(80, PEER)
        await asyncio.sleep(1)
        gate.set()
        for reader in readers:
            await reader.ended.wait()
        codes = sorted(reader.code for reader in readers)
        print("codes", codes)
        assert set(codes) <= {-1, 0} and codes.count(0) >= 2
        assert all(reader.got == 12_000 for reader in readers if reader.code == 0)
        assert await stage.board.eval("1+1") == 2

    play(scenario, speeds=(), lua="5.3")


def test_a_socket_whose_connection_ended_while_it_was_held_gets_all_of_the_next_one() -> None:
    async def once(stream: MemoryStream) -> None:
        stream.write(bytes(8000))
        await asyncio.sleep(1)
        stream.abort()

    async def little(stream: MemoryStream) -> None:
        for _ in range(100):
            stream.write(bytes(100))
            await asyncio.sleep(0.05)

    async def scenario(stage: Stage) -> None:
        stage.network.serve(PEER, 80, once)
        stage.network.serve(PEER, 81, little)
        socket = await stage.board.net.createConnection()
        ended: asyncio.Queue[int] = asyncio.Queue()
        got: list[int] = []
        socket.on("reconnection", lambda socket, code: ended.put_nowait(code))
        socket.on("disconnection", lambda socket, code: ended.put_nowait(code))
        await socket.connect(80, PEER)  # nobody reads: it is held
        assert await ended.get() == -9
        await socket.connect(81, PEER)
        socket.on("receive", lambda socket, data: got.append(len(data)))
        assert await ended.get() == 0
        assert sum(got) == 10_000, "what came of the first connection is gone with it"

    play(scenario, speeds=())
