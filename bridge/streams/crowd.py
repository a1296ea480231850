"""What each of several connections may have under way to the board, whose heap they share."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

#: So many that send at once are a crowd. Of each the stack keeps up to 2 920 bytes that its peer has not acknowledged
#: (TCP_SND_BUF), which of five is more than the heap has beside the agent.
CROWDED = 3
#: Bytes of a piece in a crowd: one segment, so that one acknowledgement is for all of it.
SEGMENT = 1_460
#: Pieces of a crowd that cross the line at once.
AT_ONCE = 2
#: Seconds after which a peer counts as one that has acknowledged, when that cannot be told.
UNTOLD = 1.0
#: Pieces of a crowd that their peers have not acknowledged, of all together: each takes 1 584 bytes there.
UNACKNOWLEDGED = 4


class Crowd:
    """Who sends at the moment."""

    def __init__(self) -> None:
        #: How many connections have something to send, or have sent what their peers have not acknowledged.
        self.sending = 0
        self._crossing = asyncio.Semaphore(AT_ONCE)
        self._unacknowledged = asyncio.Semaphore(UNACKNOWLEDGED)

    @property
    def crowded(self) -> bool:
        """True while each may have one piece only that its peer has not acknowledged."""
        return self.sending >= CROWDED

    def enter(self) -> None:
        """One more sends."""
        self.sending += 1

    def leave(self) -> None:
        """One of them has sent all, and its peer has acknowledged it."""
        self.sending -= 1

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Have one piece that its peer has not acknowledged. Nobody waits in here for longer than `UNTOLD`."""
        async with self._unacknowledged:
            yield

    @contextlib.asynccontextmanager
    async def line(self) -> AsyncIterator[None]:
        """Send one piece of a crowd. The stack has room for it, so it takes no longer than the line does."""
        async with self._crossing:
            yield


class Sender:
    """One connection of the crowd: whether it is in it, and whether its peer has acknowledged something since the last
    piece left.

    Args:
        crowd: of the board.
        loop: for the time after which that is not waited for.
    """

    def __init__(self, crowd: Crowd, loop: asyncio.AbstractEventLoop) -> None:
        self._crowd, self._loop = crowd, loop
        self._acknowledged = asyncio.Event()
        self._acknowledged.set()
        self._sending = self._counted = False
        self._untold: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """It has something to send."""
        self._sending = True
        self._forget_timer()
        if not self._counted:
            self._counted = True
            self._crowd.enter()

    def leaves(self) -> None:
        """A piece is on its way."""
        self._acknowledged.clear()

    def told(self) -> None:
        """The peer has acknowledged something."""
        self._acknowledged.set()
        if not self._sending:
            self._leave()

    def end(self, *, over: bool) -> None:
        """All has left, or the connection is over; doing it again does nothing."""
        self._sending = False
        self._forget_timer()
        if over or self._acknowledged.is_set():
            self._leave()
        else:
            self._untold = self._loop.call_later(UNTOLD, self._leave)

    async def acknowledged(self) -> bool:
        """Wait until the peer has acknowledged something, for `UNTOLD` seconds; True if it has."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(UNTOLD):
                await self._acknowledged.wait()
        return self._acknowledged.is_set()

    def _leave(self) -> None:
        self._forget_timer()
        if self._counted:
            self._counted = False
            self._crowd.leave()

    def _forget_timer(self) -> None:
        if self._untold is not None:
            self._untold.cancel()
            self._untold = None
