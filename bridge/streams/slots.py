"""Who may connect: the stack holds only so many connections, and others wait for their turn."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator

from bridge.errors import NetTimeout
from bridge.streams.crowd import Crowd

#: Connections that the stack serves at once (MEMP_NUM_TCP_PCB of app/include/lwipopts.h). With exactly so many it lets
#: nobody in; it would let more out, for as long as the heap lasts.
MOST = 5
#: Seconds that a connection stays in the board's heap which the board has closed first: TIME_WAIT, twice TCP_MSL of
#: app/include/lwipopts.h. Each is 184 bytes. By the stack's slow clock (bridge.virtual.lwip.timeouts) it is some 12.5.
TIME_WAIT = 10.0
#: So many may be closed at once, and then one after each such time, in seconds: some 37 are in TIME_WAIT at most, 6.8
#: KB, and five clients that are sent 3 KB each still find room (scripts/clients_bench.py). The agent turns clients away
#: below 4 KB. With 16 and 24 in ten seconds (46) there was no room to spare for pages of 3 KB.
#: What this does not bound: one that is held when its peer closes goes to TIME_WAIT as well (tcp_close_shutdown: its
#: window is not full), so the agent holds only who has sent more than a short question. Nor is the heap asked: the
#: question needs 2 KB there, and the answer comes after the peak.
CLOSED_AT_ONCE, CLOSED_EVERY = 12, TIME_WAIT / 20
#: How many that leaves in TIME_WAIT at most.
LEFT = 37
#: The stack lets in all whose SYN comes before the first five stand, and with six or more everybody. One more that
#: stands takes as much as so many in TIME_WAIT, with what the agent knows of it: some 600 bytes.
WEIGHT = 4


class Slot:
    """One taken slot."""

    def __init__(self, slots: Slots) -> None:
        self._slots: Slots | None = slots

    def release(self) -> None:
        """Give it back; doing it again does nothing."""
        slots, self._slots = self._slots, None
        if slots is not None:
            slots._next()


class Slots:
    """Slots for connections, given in the order of asking.

    Args:
        count: how many there are.
    """

    def __init__(self, count: int = MOST) -> None:
        self.count = count
        #: How many are taken.
        self.taken = 0
        #: Held by the one that begins to connect. The board takes one connection at a time, some hundred milliseconds
        #: each, and of those that it is asked for meanwhile the last first: the first could wait for ever.
        self.dialling = asyncio.Lock()
        #: Those that send.
        self.crowd = Crowd()
        self._waiting: deque[asyncio.Future[None]] = deque()
        #: When the last one that was closed has had its time, on the loop's clock.
        self._may_close_at = 0.0

    @property
    def waiting(self) -> int:
        """How many ask."""
        return sum(not each.done() for each in self._waiting)

    async def acquire(self, timeout: float | None, port: str) -> Slot:
        """Take a slot as soon as it is this one's turn.

        Args:
            timeout: seconds; None waits for ever.
            port: of the board, for the message.

        Raises:
            NetTimeout: no slot became free.
        """
        if self.taken < self.count and not self.waiting:
            return self.take()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(timeout):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._next()  # it was given in the same moment
            elif turn in self._waiting:
                self._waiting.remove(turn)
            if isinstance(error, TimeoutError):
                raise NetTimeout(
                    f"All {self.count} connections of the board were in use for {timeout:g} s",
                    port=port,
                    remedy="Close some, or wait longer.",
                ) from error
            raise
        return Slot(self)

    def take(self) -> Slot:
        """Count a connection that is there already: one that the board has accepted."""
        self.taken += 1
        return Slot(self)

    @contextlib.asynccontextmanager
    async def closing(self, over: asyncio.Event) -> AsyncIterator[None]:
        """Close one connection in here, by a close or by letting its handle go.

        Entered when the board may do so without running out of heap: many short ones at once leave more behind than it
        holds, and it turns clients away then, or restarts.

        Args:
            over: set, before or within, when the connection has ended by itself. It waits for nothing then, and is none
                of those that count.
        """
        loop = asyncio.get_running_loop()
        # What stands beside the five takes from what closed ones may.
        every = CLOSED_EVERY * LEFT / max(LEFT / 8, LEFT - WEIGHT * max(0, self.taken - MOST))
        early = self._may_close_at - loop.time() - CLOSED_AT_ONCE * CLOSED_EVERY + every
        self._may_close_at = max(self._may_close_at, loop.time()) + every
        begun = False
        try:
            if early > 0:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(early):
                        await over.wait()
            begun = True
            yield
        finally:
            if over.is_set() or not begun:
                self._may_close_at -= every

    def _next(self) -> None:
        """A slot has become free; the next one that waits gets it."""
        self.taken -= 1
        while self._waiting and self.taken < self.count:
            turn = self._waiting.popleft()
            if not turn.done():
                self.taken += 1
                turn.set_result(None)
