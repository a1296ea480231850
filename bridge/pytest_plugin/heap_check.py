"""What a test has left of a board's heap: compared, and looked for where something is missing."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from functools import cache

from bridge import agent_source, insight
from bridge.board import Board
from bridge.pytest_plugin.findings import Visit
from bridge.pytest_plugin.heap_book import HeapBook, Look, lost
from bridge.pytest_plugin.watch import Watch

#: What the stack keeps of a closed connection is gone after so many seconds (TIME_WAIT, 2 MSL of 5 s).
TIME_WAIT = 11.0
#: Bytes of heap that a test may leave in use: Lua's tables and the stack's buffers come and go.
SLACK = 256
#: Factor on that where sockets and other objects were used: the agent's tables grow with what they once held.
PLAY = 3
#: Bytes that a connection may still take when it is closed.
CONNECTION = 250
#: Seconds, at most, in which heap is waited for that still comes back.
LONGEST_WAIT = 60.0


class HeapCheck:
    """The heap of one boot of a board, from test to test.

    Args:
        board: open.
        watch: of the board.
        look: looks at its heap.
        start: the first look, when nothing has been done.
        slack: bytes that a test may leave in use.

    Attributes:
        is_worn: so much is missing by now that the next test should have a board that has restarted.
    """

    def __init__(
        self, board: Board, watch: Watch, look: Callable[[], Awaitable[Look]], start: Look, slack: int
    ) -> None:
        self._board, self._watch, self._look, self._slack = board, watch, look, slack
        self._book = HeapBook(start, _room_sizes())
        self._before = start
        self.is_worn = False

    def begin(self, before: Look) -> None:
        """A test begins."""
        self._book.follow(before)
        self._before = before

    async def left(self, visit: Visit, look: Look) -> int:
        """Bytes that the test has left in use; 0 if they are no more than it may.

        Args:
            visit: of the test; its curve gets what is looked at.
            look: after the test.
        """
        book, allowed = self._book, self._allowed()
        missing = book.missing(look)
        taken = lost(self._before, look)
        if taken is None and missing is not None:
            taken = missing - book.carried
        if taken is None or taken > allowed:
            taken = await self._search(visit, look, allowed)
        else:
            book.follow(look)
            if taken <= self._slack:
                book.learn(look)
        self.is_worn = missing is not None and missing > 2 * allowed
        return 0 if taken <= allowed or book.strings_doubled(taken, allowed) else taken

    async def _search(self, visit: Visit, look: Look, allowed: int) -> int:
        """Bytes that are missing when the agent has let go what it can and the stack has forgotten old connections."""
        book, loop = self._book, asyncio.get_running_loop()
        # It cannot have left more than there is less, whatever else is found.
        most = self._before.free - look.free if look.rooms == self._before.rooms else None
        carried = book.carried  # what was missing before is not this test's
        gc.collect()
        insight.spare(self._board)
        best, until = 1 << 20, loop.time()
        if self._used_network():
            best, until = 0, until + TIME_WAIT
        end = loop.time() + LONGEST_WAIT
        then = None  # what was missing at `look`
        while True:
            now = await self._look()
            visit.heap.append((round(self._watch.seconds, 3), now.free))
            missing = book.measure(now)
            if then is None:
                then = book.carried
            taken = missing - carried if most is None else min(missing - carried, most)
            if taken <= allowed or loop.time() >= min(until, end):
                book.learn(look, then)
                return taken
            if now.free > best:  # it still comes back: closings are many, or wait for their peers
                best, until = now.free, max(until, loop.time() + TIME_WAIT / 2)
            await asyncio.sleep(1.0)

    def _allowed(self) -> int:
        """Bytes that may be in use after a test and were not before it."""
        slack = self._slack * (PLAY if self._watch.object_calls else 1)
        return slack + CONNECTION * self._watch.recent_connections(TIME_WAIT)

    def _used_network(self) -> bool:
        return self._watch.object_calls > 0 or self._watch.mentions("net.", "tls.", "http.", "mqtt.")


@cache
def _room_sizes() -> dict[str, int]:
    return {name: sum(map(len, agent_source.room(name))) for name in agent_source.ROOMS}
