"""Sockets whose peers all push share the line: none of them waits for another to be done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bridge.link.speed import LADDER
from tests.campaigns.slow_reader import Pusher
from tests.campaigns.stage import BUILDS, PEER, Stage, play
from tests.variants import by_night

#: Seconds before the shares are measured, and for which they are: each gets three windows in them.
FIRST, SECONDS = 4.0, 8.0
#: Bytes per second of a line at 115 200 baud.
LINE = 11_520
TWO = pytest.mark.parametrize("build", ["5.1 float", "5.3"])

#: Is told the size of each piece that comes.
Got = Callable[[int], None]
#: Connects with a port of the peer, and reads as fast as it comes; gives what is to be kept, and its end.
Read = Callable[[Stage, int, Got], Awaitable[Callable[[], Awaitable[None]]]]


async def by_handler(stage: Stage, port: int, got: Got) -> Callable[[], Awaitable[None]]:
    """By a socket of `board.net`."""
    socket = await stage.board.net.createConnection()
    socket.on("receive", lambda socket, data: got(len(data)))
    await socket.connect(port, PEER)
    return socket.release


async def by_stream(stage: Stage, port: int, got: Got) -> Callable[[], Awaitable[None]]:
    """By a stream, whose writer is kept: one that nobody holds closes its connection (Python 3.11.5 and later)."""
    reader, writer = await stage.board.open_connection(PEER, port)

    async def drink() -> None:
        while data := await reader.read(4096):
            got(len(data))

    drinking = asyncio.create_task(drink())

    async def end() -> None:
        writer.transport.abort()
        await drinking

    return end


def shares(
    count: int, build: str, read: Read, speeds: tuple[int, ...] = (), *, first: float = FIRST, seconds: float = SECONDS
) -> list[float]:
    """Bytes per second of each of so many connections that are pushed into as soon as they stand."""
    total = [0] * count
    rates: list[float] = []

    async def scenario(stage: Stage) -> None:
        ends = []
        for number in range(count):

            def got(size: int, number: int = number) -> None:
                total[number] += size

            stage.network.serve(PEER, 80 + number, Pusher(1 << 40, number))
            ends.append(await read(stage, 80 + number, got))
        await asyncio.sleep(first)
        before = list(total)
        await asyncio.sleep(seconds)
        rates.extend((now - then) / seconds for now, then in zip(total, before, strict=True))
        for end in ends:
            await end()

    play(scenario, speeds=speeds, **BUILDS[build])
    print([round(rate) for rate in rates])
    return rates


@TWO
@pytest.mark.parametrize("count", by_night([2, 3, 5], but=[5]))
def test_each_gets_more_than_half_of_its_share(count: int, build: str) -> None:
    rates = shares(count, build, by_handler)
    assert min(rates) > sum(rates) / count / 2
    assert sum(rates) > 0.9 * LINE, "the line is shared, not wasted"


@TWO
def test_on_a_fast_line_too(build: str) -> None:
    rates = shares(5, build, by_handler, LADDER, first=1, seconds=2)
    assert min(rates) > sum(rates) / 5 / 2


@TWO
def test_streams_too(build: str) -> None:
    rates = shares(5, build, by_stream)
    assert min(rates) > sum(rates) / 5 / 2
    assert sum(rates) > 0.9 * LINE
