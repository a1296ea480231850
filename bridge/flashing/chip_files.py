"""Where a chip has a file system, found in its flash through the ROM loader, and whether a firmware would have it too.

3.x has its file system in a partition. 2.x looks for one behind the firmware, at eight steps of 64 KB and eight of 8 KB
(`myspiffs_find_cfg` of app/spiffs/spiffs.c, 2.2.1); it makes a new one at the second 64 KB boundary, on a small flash
32 KB behind the firmware. Both know one by the marks in the first page of each block (`spiffs_probe`). 3.x looks at
the beginning of its partition only (`myspiffs_set_cfg`, 3.0.0), so it takes over the files of a 2.x, whose format is
the same, if they happen to lie there, and formats otherwise.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.flashing.table import RECORDS_SIZE, Row, after_first_boot, file_system, read_table, records_of
from bridge.image import IROM_OFFSET, ImagePart

_SECTOR = 4096
_BLOCK, _SMALL_BLOCK = 2 * _SECTOR, _SECTOR
_PAGE = 256
#: `SPIFFS_MAGIC`: this, the size of a page, and the number of blocks from here to the end, which differ in each block.
_MAGIC = (0x20140529 ^ _PAGE) & 0xFFFF
_COARSE, _FINE = 0x10000, 0x2000
#: Where a 2.x can have one: behind the smallest firmware; and 1 MB of firmware, 8 steps and the one of alignment.
_FIRST, _LAST = 0x20000, 0x100000 + 9 * _COARSE
#: Least flash with which 2.x takes the coarse steps.
_LARGE = 700_000


class Flash(Protocol):
    """What is needed of `bridge.flashing.session.Session`."""

    flash_size: int

    async def peek(self, at: int, size: int) -> bytes:
        """A small stretch of the flash."""
        ...


@dataclass(frozen=True)
class Found:
    """A file system in the flash; offset and size in bytes."""

    at: int
    size: int
    older: bool
    """It is one of 2.x, and no partition."""


async def table_on_chip(session: Flash) -> tuple[Row, ...]:
    """The partition table on the board: the first record, as a rule. To read them all takes a tenth of a second."""
    for size in (256, RECORDS_SIZE):
        if table := read_table(await session.peek(IROM_OFFSET, size)):
            return table
    return ()


async def files_on_chip(session: Flash) -> Found | None:
    """The file system of the firmware that a chip has, or None.

    Args:
        session: connected.
    """
    end = session.flash_size or 1 << 24
    if table := await table_on_chip(session):
        row = file_system(table)
        if row is None or not row.at or row.at + row.size > end:
            return None
        blank = not (await session.peek(row.at, _PAGE)).strip(b"\xff")
        return None if blank else Found(row.at, row.size, older=False)
    if not (await session.peek(IROM_OFFSET, 16)).strip(b"\xff"):
        return None  # no firmware
    # In order: each block of a file system looks like the beginning of one that is so much shorter.
    step = _FINE if end <= 1 << 20 else _COARSE
    for at in range(_FIRST, min(_LAST, end - 4 * _SMALL_BLOCK), step):
        size = await _probe(session, at, end)
        if size:
            return Found(at, size, older=True)
    return None


async def _probe(session: Flash, at: int, end: int) -> int:
    """Size of the file system that begins here, or 0."""
    first = _blocks(await session.peek(at, _PAGE))
    for block in (_SMALL_BLOCK, _BLOCK):
        if 4 <= first <= (end - at) // block and at + 2 * block < end:
            counts = [first, *[_blocks(await session.peek(at + each * block, _PAGE)) for each in (1, 2)]]
            if counts == [first, first - 1, first - 2]:
                return first * block
    return 0


def _blocks(page: bytes) -> int:
    """Number of blocks to the end that the mark of a block's first page tells."""
    (magic,) = struct.unpack_from("<H", page, _PAGE - 4)
    return int(magic) ^ _MAGIC


def files_stay(found: Found, parts: Sequence[ImagePart], flash_size: int) -> bool:
    """True if a firmware will have the file system that is there.

    Args:
        found: from `files_on_chip`.
        parts: of the image.
        flash_size: of the chip, in bytes.
    """
    after = file_system(after_first_boot(read_table(records_of(parts)), flash_size))
    if after is not None and not found.older:
        return (after.at, after.size) == (found.at, found.size)
    end = max(part.offset + len(part.data) for part in parts)
    if not found.older or end > found.at:
        return False
    if after is not None:
        start, stop = -(-after.at // _BLOCK) * _BLOCK, (after.at + after.size) // _BLOCK * _BLOCK
        return start == found.at and found.at + found.size <= stop
    free = -(-end // _SECTOR) * _SECTOR
    coarse = [-(-(free + _COARSE * step) // _COARSE) * _COARSE for step in range(8)] if flash_size >= _LARGE else []
    fine = [-(-(free + _FINE * step) // _FINE) * _FINE for step in range(8)]
    return found.at in (*coarse, *fine)
