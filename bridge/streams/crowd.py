"""What each of several connections may have under way to the board, whose heap they share."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

#: So many that send at once are a crowd. Of each the stack keeps up to 2 920 bytes that its peer has not acknowledged
#: (TCP_SND_BUF), which of five is more than the heap has beside the agent.
CROWDED = 3
#: Bytes of a piece in a crowd: one segment, so that one acknowledgement is for all of it.
SEGMENT = 1_460
#: Pieces of a crowd that cross the line at once.
AT_ONCE = 2


class Crowd:
    """Who sends at the moment."""

    def __init__(self) -> None:
        #: How many connections have something to send.
        self.sending = 0
        self._turns = asyncio.Semaphore(AT_ONCE)

    @property
    def crowded(self) -> bool:
        """True while each may have one piece only that its peer has not acknowledged."""
        return self.sending >= CROWDED

    @contextlib.contextmanager
    def member(self) -> Iterator[None]:
        """Be one that sends."""
        self.sending += 1
        try:
            yield
        finally:
            self.sending -= 1

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Send one piece of a crowd. The stack has room for it, so it takes no longer than the line does."""
        async with self._turns:
            yield
