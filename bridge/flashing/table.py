"""NodeMCU 3.x's partition table: where it stands, and what a first boot makes of the one that a build carries.

Sources: `first_time_setup` of app/user/user_main.c and the reboot configuration records of app/platform/platform.c
(release 3.0.0). Offsets and sizes in bytes of flash.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.image import IROM_OFFSET, ImagePart

#: The records fill this much at the start of the irom part.
RECORDS_SIZE = 4096
_TABLE = 1
_END, _IROM, _LFS, _SPIFFS, _PARAMETERS = 0, 102, 103, 106, 6
_PARAMETERS_SIZE = 0x3000
_ALL = 0xFFFFFFFF
_IROM_ADDRESS = 0x40210000
_CHUNK = 0x2000
_SPIFFS_BOUNDARY = 0x100000


@dataclass(frozen=True)
class Row:
    """A partition."""

    kind: int
    at: int
    size: int


def records_of(parts: Sequence[ImagePart]) -> bytes:
    """The first sector of an image's irom part; empty if the image has none."""
    for part in parts:
        if part.offset <= IROM_OFFSET < part.offset + len(part.data):
            at = IROM_OFFSET - part.offset
            return part.data[at : at + RECORDS_SIZE]
    return b""


def read_table(records: bytes) -> tuple[Row, ...]:
    """The table among the records of a sector; none for a blank sector or a firmware before 3.x."""
    at = 0
    while at + 4 <= len(records) and records[at + 1] != 0xFF:
        words, kind = records[at], records[at + 1]
        data = records[at + 4 : at + 4 + 4 * words]
        if kind == _TABLE and len(data) == 4 * words and words % 3 == 0:
            return tuple(Row(*row) for row in struct.iter_unpack("<III", data))
        at += 4 + 4 * words
    return ()


def is_fresh(table: Sequence[Row]) -> bool:
    """True for a table as it was built: the first boot has not filled it in."""
    return bool(table) and table[-1].kind == _END


def after_first_boot(table: Sequence[Row], flash_size: int) -> tuple[Row, ...]:
    """The table that the first boot makes of one as it was built; one that has been filled in stays as it is.

    Args:
        table: from `read_table`.
        flash_size: as the image's header will say.
    """
    if not is_fresh(table):
        return tuple(table)
    rows: list[Row] = []
    last = 0
    for row in table[:-1]:
        at, size = row.at, row.size
        if row.kind == _IROM and size == 0:
            size = -(-(table[-1].at - _IROM_ADDRESS) // _CHUNK) * _CHUNK
        elif row.kind == _LFS:
            size = -(-size // _CHUNK) * _CHUNK
            at = at or last
        elif row.kind == _SPIFFS and size == _ALL:
            at = at or last
            size = flash_size - _PARAMETERS_SIZE - last
        elif row.kind == _SPIFFS and size > 0:
            at = at if at >= last else 0
            if at == 0:
                fits = size <= flash_size - _PARAMETERS_SIZE - _SPIFFS_BOUNDARY
                at = _SPIFFS_BOUNDARY if fits else last
        elif row.kind == _PARAMETERS:
            at, size = flash_size - _PARAMETERS_SIZE, _PARAMETERS_SIZE
        if size > 0:
            rows.append(Row(row.kind, at, size))
            last = at + size
    return tuple(rows)


def file_system(table: Sequence[Row]) -> Row | None:
    """Where the files are, or None."""
    return next((row for row in table if row.kind == _SPIFFS), None)


def too_large(table: Sequence[Row], flash_size: int) -> str | None:
    """Why a table as built does not fit a flash, in words, or None."""
    rows = after_first_boot(table, flash_size)
    for before, row in zip(rows, rows[1:], strict=False):
        if row.at < before.at + before.size:
            return f"its partitions end at {before.at + before.size} bytes, where {row.at} are left for them"
    end = max((row.at + row.size for row in rows), default=0)
    if end > flash_size:
        return f"its partition table is for {end} bytes of flash, not for {flash_size}"
    return None
