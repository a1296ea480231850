"""Where things live in the flash of a NodeMCU 3.x board (app/user/user_main.c, SDK 3 partition table)."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

SECTOR = 4096
#: The irom part of the firmware; its first sector holds the reboot configuration records (`rcr`).
IROM_OFFSET = 0x10000
#: Where a build with `tls` keeps an authority's certificate, and its own with the key: the sectors behind that.
SERVER_CERT, CLIENT_CERT = IROM_OFFSET + SECTOR, IROM_OFFSET + 2 * SECTOR
IROM_ADDRESS = 0x40210000
FLASH_ADDRESS = 0x40200000
SYSTEM_PARAMETER_SIZE = 0x3000
#: `SPIFFS_MAX_FILESYSTEM_SIZE` of a stock build: all there is.
SPIFFS_ALL = 0xFFFFFFFF
_CHUNK = 0x2000
_WORD = 0xFFFFFFFF
_SPIFFS_BOUNDARY = 0x100000
_ITEM = struct.Struct("<III")


class PartitionType(IntEnum):
    """SDK partition types, and NodeMCU's own (SYSTEM_PARTITION_CUSTOMER_BEGIN is 100)."""

    END = 0
    RF_CAL = 4
    PHY_DATA = 5
    SYSTEM_PARAMETER = 6
    EAGLEROM = 101
    IROM0TEXT = 102
    LFS0 = 103
    LFS1 = 104
    TLSCERT = 105
    SPIFFS0 = 106
    SPIFFS1 = 107


#: Flash size in bytes by the size nibble of an image header, as `user_pre_init` reads it.
SIZE_OF_NIBBLE = tuple(0x40000 << shift for shift in (1, 0, 2, 3, 4, 3, 4, 4, 5, 6))
#: The nibble esptool writes for each size (esptool/targets/esp8266.py).
NIBBLE_OF_SIZE = {1 << 19: 0, 1 << 18: 1, 1 << 20: 2, 1 << 21: 3, 1 << 22: 4, 1 << 23: 8, 1 << 24: 9}


def told_size(header: bytes) -> int:
    """What `node.flashsize` and `node.info` say: the flash's size in the image header, whatever chip there is.

    `flash_rom_get_size_byte` of app/platform/flash_api.c; of 2.x, too, which sets the header right at its first start.

    Args:
        header: the first four bytes of the flash.
    """
    nibble = header[3] >> 4
    return SIZE_OF_NIBBLE[nibble] if nibble < len(SIZE_OF_NIBBLE) else 512 << 10


class LayoutError(Exception):
    """A partition table the firmware refuses; the text is what it prints."""


@dataclass(frozen=True)
class Partition:
    """One row of a partition table; address and size in bytes of flash."""

    type: int
    address: int
    size: int

    @property
    def end(self) -> int:
        return self.address + self.size


def default_table(irom_end: int, *, lfs: int = 0, spiffs: int = SPIFFS_ALL) -> tuple[Partition, ...]:
    """The table a build carries before its first boot, closed by the end marker.

    Args:
        irom_end: address behind the irom part, in the CPU's address space.
        lfs: bytes for Lua's flash store, 0 for none.
        spiffs: bytes for the file system, `SPIFFS_ALL` for all there is.
    """
    return (
        Partition(PartitionType.EAGLEROM, 0, 0xB000),
        Partition(PartitionType.RF_CAL, 0xD000, 0x1000),
        Partition(PartitionType.PHY_DATA, 0xF000, 0x1000),
        Partition(PartitionType.IROM0TEXT, IROM_OFFSET, 0),
        Partition(PartitionType.LFS0, 0, lfs),
        Partition(PartitionType.SPIFFS0, 0, spiffs),
        Partition(PartitionType.SYSTEM_PARAMETER, 0, SYSTEM_PARAMETER_SIZE),
        Partition(PartitionType.END, irom_end, 0),
    )


def pack_table(table: Iterable[Partition]) -> bytes:
    """The table as it stands in flash."""
    return b"".join(_ITEM.pack(row.type, row.address, row.size) for row in table)


def unpack_table(data: bytes) -> tuple[Partition, ...]:
    """The table read from flash; bytes behind the last whole row are left out."""
    whole = data[: len(data) // _ITEM.size * _ITEM.size]
    return tuple(Partition(*fields) for fields in _ITEM.iter_unpack(whole))


def needs_first_time_setup(table: tuple[Partition, ...]) -> bool:
    """True if the table is still as it was built (it ends with the marker)."""
    return bool(table) and table[-1].type == PartitionType.END


def first_time_setup(table: tuple[Partition, ...], flash_size: int) -> tuple[Partition, ...]:
    """The real table for a flash, from the one a build carries (`first_time_setup` in app/user/user_main.c).

    Args:
        table: rows with zeroes where the firmware chooses; closed by the end marker.
        flash_size: bytes, as the image header says.

    Raises:
        LayoutError: a partition is not aligned, overlaps the one before, or does not fit.
    """
    irom_end = table[-1].address
    rows: list[Partition] = []
    last = 0
    for index, row in enumerate(table[:-1]):
        address, size = row.address, row.size
        match row.type:
            case PartitionType.IROM0TEXT if size == 0:
                size = -(-(irom_end - IROM_ADDRESS) // _CHUNK) * _CHUNK
            case PartitionType.LFS0:
                size = -(-size // _CHUNK) * _CHUNK
                address = address or last
            case PartitionType.SPIFFS0 if size == SPIFFS_ALL:
                address = address or last
                # The C source leaves a given address out of the sum here too.
                size = (flash_size - SYSTEM_PARAMETER_SIZE - last) & _WORD
            case PartitionType.SPIFFS0 if size > 0:
                if address < last:
                    address = 0
                if address == 0:
                    fits = size <= flash_size - SYSTEM_PARAMETER_SIZE - _SPIFFS_BOUNDARY
                    address = _SPIFFS_BOUNDARY if fits else last
            case PartitionType.SYSTEM_PARAMETER:
                address, size = flash_size - SYSTEM_PARAMETER_SIZE, SYSTEM_PARAMETER_SIZE
        if size == 0:
            continue
        # 32-bit sums: a negative size passes here, and is refused by the SDK later.
        if address % SECTOR or size % SECTOR or address < last or (address + size) & _WORD > flash_size:
            raise LayoutError(f"Partition {index} invalid alignment")
        rows.append(Partition(row.type, address, size))
        last = (address + size) & _WORD
    return tuple(rows)


def find(table: Iterable[Partition], type: PartitionType) -> Partition | None:
    """The first partition of this type, or None."""
    return next((row for row in table if row.type == type), None)
