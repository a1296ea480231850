"""`node.getpartitiontable` and `node.setpartitiontable` (app/modules/node.c): where LFS and the file system lie."""

from __future__ import annotations

from dataclasses import replace

from bridge.virtual.chip import rcr
from bridge.virtual.chip.layout import (
    SECTOR,
    SYSTEM_PARAMETER_SIZE,
    Partition,
    PartitionType,
    find,
    pack_table,
    told_size,
)
from bridge.virtual.lua.api import Args, ArgumentFault, LuaFault, Value, to_int32, to_number
from bridge.virtual.sdk.system import System

_SPIFFS_BOUNDARY = 0x100000
_WORD = 0xFFFFFFFF
_NAMES = ("lfs_addr", "lfs_size", "spiffs_addr", "spiffs_size")


def get_table(system: System) -> Value:
    """Answer `getpartitiontable()`."""
    table = rcr.partition_table(system.flash) or ()
    values = {}
    for name, kind in (("lfs", PartitionType.LFS0), ("spiffs", PartitionType.SPIFFS0)):
        part = find(table, kind)
        values[f"{name}_addr"], values[f"{name}_size"] = (part.address, part.size) if part else (0, 0)
    return system.lua.table(values, 4)


def set_table(system: System, arguments: Args) -> None:
    """Answer `setpartitiontable(table)`: prints the new table, writes it, and waits for the watchdog."""
    if arguments.type_name(1) != "table":
        raise ArgumentFault(1, "must be table")
    wanted: dict[str, int] = {}
    for key, value in system.lua.items(arguments.get(1)):
        number = to_number(value)
        name = key.decode("latin-1") if isinstance(key, bytes) else ""
        if number is None or name not in _NAMES:
            raise ArgumentFault(1, "invalid partition setting")
        wanted[name] = to_int32(number) & _WORD
    table = changed(rcr.partition_table(system.flash) or (), wanted, told_size(system.flash.read(0, 4)))
    for number, row in enumerate(table):
        system.print(b"Partition %d: %04x %06x %06x\n" % (number, row.type, row.address, row.size))
    rcr.write(system.flash, rcr.Record.PARTITION_TABLE, pack_table(table))
    system.hang()


def changed(table: tuple[Partition, ...], wanted: dict[str, int], flash_size: int) -> list[Partition]:
    """A partition table with LFS and file system where they are wanted.

    Args:
        table: as it is.
        wanted: any of `lfs_addr`, `lfs_size`, `spiffs_addr`, `spiffs_size`.
        flash_size: bytes, as the image header says.

    Raises:
        LuaFault: a partition is not aligned, overlaps the one before, or does not fit.
    """
    rows, last, at = list(table), 0, 0
    while at < len(rows):
        row = rows[at]
        behind = rows[at + 1].type if at + 1 < len(rows) else PartitionType.END
        if row.type == PartitionType.IROM0TEXT and behind != PartitionType.LFS0:
            rows.insert(at + 1, Partition(PartitionType.LFS0, row.end, 0))
        elif row.type == PartitionType.LFS0:
            row = replace(row, address=wanted.get("lfs_addr", row.address), size=wanted.get("lfs_size", row.size))
            if behind != PartitionType.SPIFFS0:
                rows.insert(at + 1, Partition(PartitionType.SPIFFS0, 0, 0))
        elif row.type == PartitionType.SPIFFS0:
            row = _spiffs(row, wanted, flash_size, last)
        if row.size == 0:
            del rows[at]
            continue
        end = (row.address + row.size) & _WORD
        if row.address % SECTOR or row.size % SECTOR or row.address < last or end > flash_size:
            raise LuaFault("Partition value out of range")
        rows[at], last = row, end
        at += 1
    return rows


def _spiffs(row: Partition, wanted: dict[str, int], flash_size: int, last: int) -> Partition:
    size = wanted.get("spiffs_size")
    if size is None:
        return replace(row, address=wanted.get("spiffs_addr", row.address))
    fits = size <= flash_size - SYSTEM_PARAMETER_SIZE - _SPIFFS_BOUNDARY
    return replace(row, size=size, address=wanted.get("spiffs_addr", _SPIFFS_BOUNDARY if fits else last))
