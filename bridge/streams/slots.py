"""Who may connect: the stack holds only so many connections, and others wait for their turn."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from bridge.errors import NetTimeout
from bridge.streams.crowd import Crowd

#: Connections that the stack serves at once (MEMP_NUM_TCP_PCB of app/include/lwipopts.h). With exactly so many it lets
#: nobody in; it would let more out, for as long as the heap lasts.
MOST = 5
#: Seconds that a connection stays in the board's heap which the board has closed first: TIME_WAIT, twice TCP_MSL of
#: app/include/lwipopts.h. Each is 184 bytes.
TIME_WAIT = 10.0
#: Connections that may be in TIME_WAIT whatever the heap is; before more are closed it is asked.
FEW_CLOSED = 8
#: Connections that may be in TIME_WAIT at all: 4.4 KB. What is free at a quiet moment is needed in the next one, when five
#: connections send.
MOST_CLOSED = 24
#: Free bytes of the board's heap that are enough to close one more: the agent turns clients away below 4000.
ENOUGH_HEAP = 6000


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
        self._closed: deque[float] = deque()
        self._closing = asyncio.Lock()

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

    async def may_close(self, heap: Callable[[], Awaitable[int]]) -> None:
        """Wait until the board may close one more connection without running out of heap: many short ones at once
        leave more behind than it holds, and it turns clients away then, or restarts.

        Args:
            heap: asks for the board's free heap, in bytes.
        """
        loop = asyncio.get_running_loop()
        async with self._closing:
            while True:
                while self._closed and self._closed[0] + TIME_WAIT <= loop.time():
                    self._closed.popleft()
                if len(self._closed) < FEW_CLOSED:
                    break
                if len(self._closed) < MOST_CLOSED and await heap() >= ENOUGH_HEAP:
                    break
                await asyncio.sleep(self._closed[0] + TIME_WAIT - loop.time())
            self._closed.append(loop.time())

    def _next(self) -> None:
        """A slot has become free; the next one that waits gets it."""
        self.taken -= 1
        while self._waiting and self.taken < self.count:
            turn = self._waiting.popleft()
            if not turn.done():
                self.taken += 1
                turn.set_result(None)
