"""Reboot configuration records: what NodeMCU 3.x keeps in the first sector of irom (app/platform/platform.c).

A chain of records, each a header word (length in words, id) and its words, written once: replacing a record appends
a new one and clears the id of the old; a full sector is collected and rewritten.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from bridge.virtual.chip.flash import SECTOR_SIZE, FlashMemory
from bridge.virtual.chip.layout import IROM_OFFSET, Partition, needs_first_time_setup, unpack_table

_WORDS = SECTOR_SIZE // 4
_MAX_WORDS = 64


class Record(IntEnum):
    """Record ids (`PLATFORM_RCR_*` in app/platform/platform.h)."""

    DELETED = 0
    PARTITION_TABLE = 1
    PHY_DATA = 2
    REFLASH = 3
    FLASH_LFS = 4
    INIT_STRING = 5
    STARTUP_OPTION = 6
    FREE = 0xFF


class StartupOption(IntEnum):
    """Bits of the STARTUP_OPTION record (`node.startup`)."""

    NO_BANNER = 1
    CPU_FREQ_MAX = 2
    DELAY_MOUNT = 4


def read(flash: FlashMemory, record: Record) -> bytes | None:
    """The record's words, or None if there is none (`platform_rcr_read`)."""
    for _, id, data in _chain(flash):
        if id == record:
            return data
    return None


def partition_table(flash: FlashMemory) -> tuple[Partition, ...] | None:
    """The table the firmware works with; None before the first boot has written it (or without NodeMCU 3.x)."""
    data = read(flash, Record.PARTITION_TABLE)
    if data is None:
        return None
    table = unpack_table(data)
    return None if needs_first_time_setup(table) else table


def startup_option(flash: FlashMemory) -> int:
    """The bits of `StartupOption` that are set (`platform_rcr_get_startup_option`)."""
    data = read(flash, Record.STARTUP_OPTION)
    return int.from_bytes(data, "little") if data is not None and len(data) == 4 else 0


def write(flash: FlashMemory, record: Record, data: bytes) -> None:
    """Append a record and delete its predecessor (`platform_rcr_write`). An equal one is left as it is.

    Raises:
        ValueError: the record is longer than the firmware takes, or the sector is full of others.
    """
    words = -(-len(data) // 4)
    if words >= _MAX_WORDS + 1:
        raise ValueError(f"a record of {len(data)} bytes is too long")
    image = bytes([words, record, 0, 0]) + data.ljust(words * 4, b"\0")
    offset, previous, rows = 0, None, []
    for offset, id, old in _chain(flash):
        if id == record:
            previous = offset
            if old == image[4:]:
                return
        if id not in (Record.DELETED, record):
            rows.append(bytes([len(old) // 4, id, 0, 0]) + old)
        offset += 4 + len(old)
    if offset + len(image) < SECTOR_SIZE:
        flash.program(IROM_OFFSET + offset, image)
        if previous is not None:
            flash.program(IROM_OFFSET + previous + 1, b"\0")
        return
    whole = b"".join(rows) + image
    if len(whole) >= SECTOR_SIZE:
        raise ValueError("the sector of reboot configuration records is full")
    flash.erase(IROM_OFFSET, SECTOR_SIZE)
    flash.program(IROM_OFFSET, whole)


def delete(flash: FlashMemory, record: Record) -> bool:
    """Clear the record's id (`platform_rcr_delete`); False if there was none."""
    for offset, id, _ in _chain(flash):
        if id == record:
            flash.program(IROM_OFFSET + offset + 1, b"\0")
            return True
    return False


def _chain(flash: FlashMemory) -> Iterator[tuple[int, int, bytes]]:
    """Offset in the sector, id and data of each record up to the first free word."""
    sector = flash.read(IROM_OFFSET, SECTOR_SIZE)
    at = 0
    while at + 4 <= SECTOR_SIZE and sector[at + 1] != Record.FREE:
        length = 4 * sector[at]
        yield at, sector[at + 1], sector[at + 4 : at + 4 + length]
        at += 4 + length
