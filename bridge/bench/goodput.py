"""How much payload a link carries, each way and both ways at once.

Payload is incompressible and holds every byte value. To the board it goes as arguments of a function that drops them;
from the board as results of a function that has one random string. Calls are started so that the line is never idle
and no more than a few KB wait on the board.

Both ways at once is measured twice. With calls that take a piece and give one, the two directions keep pace. With two
streams that know nothing of each other, the small half of each (a request, a reply) waits behind the large pieces of
the other; what that costs depends on how much each keeps under way.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bridge.bench.plan import Plan, Row
from bridge.board import Board
from bridge.errors import BridgeError, LinkError

#: Payload of one call to the board and of one result, in bytes.
TO_BOARD, TO_HOST = 1536, 1400
#: Calls under way at once. A result waits in the board's heap until it has left, so there are fewer of those.
TO_BOARD_AT_ONCE, TO_HOST_AT_ONCE = 8, 4

#: The functions on the board; taken away at the end.
SETUP = "function nb_drop() end local s=... function nb_give() return s end"
CLEAN = "nb_drop,nb_give=nil collectgarbage()"


@dataclass(frozen=True)
class Goodput:
    """Payload in bytes per second: (to the board, to the host) where it is two."""

    to_board: float
    to_host: float
    both: tuple[float, float]
    two_streams: tuple[float, float]


class Stream:
    """One direction: calls that are made again and again, some at a time.

    Args:
        call: makes one call; returns the bytes of payload that have arrived by it.
        at_once: how many calls are under way.
        wanted: bytes to move.
    """

    def __init__(self, call: Callable[[], Awaitable[int]], at_once: int, wanted: int) -> None:
        self._call = call
        self._at_once = at_once
        self._wanted = wanted
        self.done = 0
        self.done_when_finished = 0
        #: When the wanted bytes had arrived and were acknowledged, on the loop's clock; None before.
        self.finished: float | None = None

    async def run(self, over: Callable[[], bool]) -> None:
        """Make calls until `over`.

        Raises:
            BridgeError: a call failed; the first one that did.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._at_once):
                    group.create_task(self._work(over))
        except* BridgeError as failed:
            raise failed.exceptions[0] from None

    async def _work(self, over: Callable[[], bool]) -> None:
        while not over():
            arrived = await self._call()
            self.done += arrived
            if self.finished is None and self.done >= self._wanted:
                self.finished = asyncio.get_running_loop().time()
                self.done_when_finished = self.done

    def rate(self, began: float) -> float:
        """Bytes per second from a time to `finished`."""
        assert self.finished is not None
        return self.done_when_finished / (self.finished - began)


def pieces(rng: random.Random, size: int, count: int = 32) -> list[bytes]:
    """Different incompressible pieces; all of them together have every byte value."""
    return [rng.randbytes(size) for _ in range(count)]


async def measure_goodput(board: Board, plan: Plan, row: Row) -> Goodput:
    """Move payload to the board, to the host, and both ways at once.

    Raises:
        LinkError: what came from the board is not what it was given, or the link is down.
    """
    rng = plan.rng("payload")
    payload = pieces(rng, TO_BOARD)
    given = rng.randbytes(TO_HOST)
    volume = plan.volume(row)
    await board.exec(SETUP, given)
    turns = itertools.cycle(payload)

    def check(data: object) -> None:
        if data != given:
            raise LinkError("What came from the board is not what it was given", port=board.url)

    async def drop() -> int:
        await board.lua.nb_drop(next(turns), timeout=None)
        return TO_BOARD

    async def give() -> int:
        check(await board.lua.nb_give(timeout=None))
        return TO_HOST

    async def swap() -> int:
        # A function that gives, called with a piece to drop: as much goes one way as the other.
        check(await board.lua.nb_give(next(turns)[:TO_HOST], timeout=None))
        return TO_HOST

    for call in (drop, give, swap):
        await call()  # the board compiles what it is asked for before anything is measured
    (to_board,) = await run_streams(Stream(drop, TO_BOARD_AT_ONCE, volume))
    (to_host,) = await run_streams(Stream(give, TO_HOST_AT_ONCE, volume))
    (both,) = await run_streams(Stream(swap, TO_HOST_AT_ONCE, volume))
    streams = await run_streams(Stream(drop, TO_HOST_AT_ONCE, volume), Stream(give, TO_HOST_AT_ONCE, volume))
    await board.exec(CLEAN)
    return Goodput(to_board, to_host, (both, both), (streams[0], streams[1]))


async def run_streams(*streams: Stream) -> list[float]:
    """Run streams at once; bytes per second of each.

    One that has moved its bytes goes on until the others have moved theirs, so that each has company all the time.
    """
    began = asyncio.get_running_loop().time()

    def over() -> bool:
        return all(stream.finished is not None for stream in streams)

    await asyncio.gather(*(stream.run(over) for stream in streams))
    return [stream.rate(began) for stream in streams]
