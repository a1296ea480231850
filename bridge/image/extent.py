"""How far the code of an image goes, as its own contents say: an image that ends before was cut on its way.

The ROM's checksum covers the boot part alone. Of the code at 0x10000 a build of release 3.x says in its partition
table where it ends (app/user/user_main.c). Older builds do not say; but what is loaded to RAM holds addresses of
functions and texts in that code, up to shortly before its end.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from bridge.image.parts import IROM_OFFSET

#: Where the flash is seen by the CPU, and how much of it can be code (ld/nodemcu.ld: irom0_0_seg).
_FLASH_ADDRESS, _IROM_END = 0x40200000, 0x402F0000
#: The record that holds the table, and rows of it: SDK and NodeMCU partition types.
_TABLE_RECORD, _FREE = 1, 0xFF
_END, _IROM0TEXT = 0, 102
#: A table that has been set up says sizes in steps of this.
_STEP = 0x2000
_ITEM = struct.Struct("<III")
#: Different addresses behind the end of a file that are no accident: one or two numbers of a build look like such.
_TELLING = 4


@dataclass(frozen=True)
class Extent:
    """Where the code ends.

    Args:
        end: offset in the flash behind its last byte, in bytes; at least that.
        told_by: what says so, in words.
    """

    end: int
    told_by: str


class TableError(ValueError):
    """There is no partition table where one must be, or it cannot be one; the message says which."""


def table_extent(code: bytes) -> Extent:
    """Where the code ends, as the partition table says.

    Args:
        code: what belongs at 0x10000. It begins with the records of release 3.x.

    Raises:
        TableError: there is no table, or what is there is none.
    """
    rows = _table(code)
    if rows[-1][0] == _END:
        address = rows[-1][1]
        if not _FLASH_ADDRESS + IROM_OFFSET < address <= _IROM_END:
            raise TableError(f"says that the code ends at address {address:#010x}")
        return Extent(address - _FLASH_ADDRESS, "its partition table")
    row = next((row for row in rows if row[0] == _IROM0TEXT), None)
    if row is None or row[1] != IROM_OFFSET or not 0 < row[2] <= _IROM_END - _FLASH_ADDRESS:
        raise TableError("has no place for the code")
    return Extent(row[1] + row[2] - _STEP + 1, "its partition table")


def referenced_extent(loaded: Iterable[bytes], length: int) -> Extent | None:
    """Where the code ends at least, by the addresses of it that the boot part holds, if that is behind the file's end.

    Args:
        loaded: the segments.
        length: bytes of the image, counted from offset 0 of the flash.
    """
    beyond: set[int] = set()
    for data in loaded:
        words = struct.unpack_from(f"<{len(data) // 4}I", data)
        beyond.update(word for word in words if _FLASH_ADDRESS + max(length, IROM_OFFSET) <= word < _IROM_END)
    if len(beyond) < _TELLING:
        return None
    return Extent(max(beyond) - _FLASH_ADDRESS, "its boot part")


def _table(code: bytes) -> list[tuple[int, int, int]]:
    at = 0
    while at + 4 <= len(code) and code[at + 1] != _FREE:
        length = 4 * code[at]
        if code[at + 1] == _TABLE_RECORD:
            data = code[at + 4 : at + 4 + length]
            if len(data) < length or length % _ITEM.size or not length:
                raise TableError("is damaged")
            return list(_ITEM.iter_unpack(data))
        if at >= 4096:
            break
        at += 4 + length
    raise TableError("is missing")
