"""Waits until what was written to a port has left, for as long as some of it does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from bridge.errors import PortError

#: Seconds after which a port that takes nothing will take nothing: the longest write leaves in a fraction of them.
STALLED_SECONDS = 5.0


async def drained(url: str, unsent: Callable[[], int], wait: Callable[[], Awaitable[object]]) -> None:
    """Wait until nothing is unsent.

    Args:
        url: of the port, for messages.
        unsent: bytes that have not left yet.
        wait: returns when some of them may have left.

    Raises:
        PortError: for `STALLED_SECONDS` none has left.
    """
    loop = asyncio.get_running_loop()
    last, since = unsent(), loop.time()
    while left := unsent():
        if left != last:
            last, since = left, loop.time()
        elif loop.time() >= since + STALLED_SECONDS:
            raise PortError(
                f"{url} takes no bytes: for {STALLED_SECONDS:g} s none of what was written has left",
                port=url,
                remedy="Its other end may hold it up (flow control), or the adapter hangs: plug it in again.",
            )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STALLED_SECONDS):
                await wait()
