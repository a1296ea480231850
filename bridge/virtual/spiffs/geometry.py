"""Sizes of the file system: those of SPIFFS as NodeMCU configures it (app/spiffs/spiffs.c, spiffs_nucleus.h)."""

from __future__ import annotations

from dataclasses import dataclass

PAGE = 256
#: Bytes of a page that hold data; the page header takes the others.
DATA = PAGE - 5
#: FS_OBJ_NAME_LEN.
NAME_LENGTH = 31
MAX_OPEN_FILES = 4
#: SPIFFS_OBJ_HDR_IX_LEN and SPIFFS_OBJ_IX_LEN: data pages that a file's index header and each further index page name.
_HEADER_ENTRIES = 105
_INDEX_ENTRIES = 124

SECTOR = 4096
_BLOCK = 2 * SECTOR
_ALIGNMENT = 0x2000
_MIN_BLOCKS = 4


@dataclass(frozen=True)
class Geometry:
    """Where a file system lies in flash and how it is divided; all in bytes or counts.

    Args:
        address: first byte in flash.
        size: bytes.
        block_size: the unit of erasure and of garbage collection.
    """

    address: int
    size: int
    block_size: int

    @property
    def blocks(self) -> int:
        return self.size // self.block_size

    @property
    def pages_per_block(self) -> int:
        """Pages of a block that hold files; one more names them (the lookup page)."""
        return self.block_size // PAGE - 1

    @property
    def capacity(self) -> int:
        """Pages that files may take: two blocks are kept for garbage collection."""
        return (self.blocks - 2) * self.pages_per_block

    @property
    def total(self) -> int:
        """Bytes that `fsinfo` names as the total (`SPIFFS_info` counts one emergency page in)."""
        return (self.capacity + 1) * DATA


def geometry(address: int, size: int) -> Geometry | None:
    """The file system that fits into a partition, or None if it is too small (`myspiffs_set_cfg`).

    Args:
        address: first byte of the partition in flash.
        size: bytes of the partition.
    """
    start = -(-address // _ALIGNMENT) * _ALIGNMENT
    usable = (address + size) // _ALIGNMENT * _ALIGNMENT - start
    if usable < _MIN_BLOCKS * SECTOR:
        return None
    return Geometry(start, usable, _BLOCK if usable >= _MIN_BLOCKS * _BLOCK else SECTOR)


def pages_of(size: int) -> int:
    """Pages that a file of `size` bytes takes, its index included."""
    data = -(-size // DATA)
    return 1 + data + -(-max(0, data - _HEADER_ENTRIES) // _INDEX_ENTRIES)
