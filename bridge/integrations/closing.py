"""Closes a stream within a time that its user can bear."""

from __future__ import annotations

import asyncio

#: Seconds for what was written to leave, and for a TLS peer to say farewell.
CLOSE_TIMEOUT = 5.0


async def close(writer: asyncio.StreamWriter, timeout: float = CLOSE_TIMEOUT) -> None:
    """Close; what was written leaves first. Aborts when that takes longer than the timeout, or this is cancelled.

    Args:
        writer: of the stream.
        timeout: seconds.
    """
    writer.close()
    try:
        async with asyncio.timeout(timeout):
            await writer.wait_closed()
    except OSError:
        pass  # it broke, or took too long: it is closed now in either case
    finally:
        writer.transport.abort()
