"""How the bytes of a file travel to and from the board's flash: in pieces, several under way at once.

Everything that writes or reads files goes through here, so that what the benchmark measures is what all of it does.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Iterator

from bridge.mirror.handle import Remote
from bridge.mirror.lua import single
from bridge.wire.values import Value

#: Bytes of one read on the board. Stock reads so many at once (FILE_READ_CHUNK).
CHUNK = 1024
#: Reads that may be on their way at once: one crosses the line while the flash works on another.
IN_FLIGHT = 2
#: Bytes of one write, and writes under way at once. A message to the board carries 2 048 bytes with all that is around
#: them; with four of 1 536 bytes the line never waits for the flash (0.95 of it at 115 200 baud, measured).
WRITE_CHUNK, WRITES_IN_FLIGHT = 1536, 4
#: Seconds for one piece: a full flash is tidied up first, sector by sector.
CHUNK_TIMEOUT = 60.0

#: Told how many bytes are there, out of how many.
Progress = Callable[[int, int], None]


async def write_pieces(file: Remote, data: bytes, told: Progress | None = None) -> bool:
    """Write bytes where the file is at.

    Args:
        file: open for writing.
        data: of any length.
        told: called whenever a piece is in the file.

    Returns:
        False if the file system did not take all of it: it is full, or the file is open for reading.
    """
    flying: deque[asyncio.Task[tuple[Value, ...]]] = deque()
    written = 0

    async def landed() -> bool:
        nonlocal written
        if single(await flying.popleft()) is None:
            return False
        written = min(written + WRITE_CHUNK, len(data))
        if told is not None:
            told(written, len(data))
        return True

    try:
        for at in range(0, max(len(data), 1), WRITE_CHUNK):
            if len(flying) == WRITES_IN_FLIGHT and not await landed():
                return False
            flying.append(_start(file, ":write", data[at : at + WRITE_CHUNK]))
        while flying:
            if not await landed():
                return False
    finally:
        await _settle(flying)
    return True


async def read_pieces(file: Remote, size: int = sys.maxsize, told: Callable[[int], None] | None = None) -> bytes | None:
    """Read on, through the end of the file at most.

    Args:
        file: open for reading.
        size: bytes at most.
        told: called with the bytes that are there so far, whenever a piece has come.

    Returns:
        The bytes; None when there are no more.
    """
    parts: list[bytes] = []
    have = 0
    flying: deque[asyncio.Task[tuple[Value, ...]]] = deque()
    sizes = _sizes(size)
    try:
        while True:
            while len(flying) < IN_FLIGHT and (wanted := next(sizes, 0)):
                flying.append(_start(file, ":read", wanted))
            if not flying:
                break
            part = single(await flying.popleft())
            if part is None:
                break
            parts.append(part)
            have += len(part)
            if told is not None:
                told(have)
            if len(part) < CHUNK:
                break
    finally:
        await _settle(flying)
    return b"".join(parts) if parts else None


def _start(file: Remote, target: str, value: Value) -> asyncio.Task[tuple[Value, ...]]:
    return file.table.loop.create_task(file.call(target, value, timeout=CHUNK_TIMEOUT))


def _sizes(size: int) -> Iterator[int]:
    """Whole chunks, and the rest."""
    while size > 0:
        yield min(size, CHUNK)
        size -= CHUNK


async def _settle(flying: deque[asyncio.Task[tuple[Value, ...]]]) -> None:
    """Nobody waits for these any more."""
    for task in flying:
        task.cancel()
    await asyncio.gather(*flying, return_exceptions=True)
