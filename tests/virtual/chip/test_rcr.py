from __future__ import annotations

import pytest

from bridge.virtual.chip import rcr
from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.chip.layout import IROM_ADDRESS, IROM_OFFSET, default_table, first_time_setup, pack_table
from bridge.virtual.chip.rcr import Record


def test_records_are_appended_and_replaced() -> None:
    flash = FlashMemory(1 << 20)
    assert rcr.read(flash, Record.INIT_STRING) is None
    rcr.write(flash, Record.INIT_STRING, b"@a.lua\0")
    rcr.write(flash, Record.STARTUP_OPTION, b"\1\0\0\0")
    rcr.write(flash, Record.INIT_STRING, b"@bb.lua\0")
    assert rcr.read(flash, Record.INIT_STRING) == b"@bb.lua\0"
    assert rcr.startup_option(flash) == rcr.StartupOption.NO_BANNER
    # Header: length in words, id, two bytes of nothing; the first record's id has been cleared.
    assert flash.read(IROM_OFFSET, 4) == b"\x02\x00\x00\x00"


def test_an_equal_record_is_not_written_again() -> None:
    flash = FlashMemory(1 << 20)
    rcr.write(flash, Record.PHY_DATA, b"abcd")
    before = flash.read(IROM_OFFSET, 4096)
    rcr.write(flash, Record.PHY_DATA, b"abcd")
    assert flash.read(IROM_OFFSET, 4096) == before


def test_a_deleted_record_is_gone() -> None:
    flash = FlashMemory(1 << 20)
    rcr.write(flash, Record.PHY_DATA, b"abcd")
    assert rcr.delete(flash, Record.PHY_DATA)
    assert rcr.read(flash, Record.PHY_DATA) is None
    assert not rcr.delete(flash, Record.PHY_DATA)


def test_a_full_sector_is_collected() -> None:
    flash = FlashMemory(1 << 20)
    rcr.write(flash, Record.PHY_DATA, b"keep")
    for number in range(40):
        rcr.write(flash, Record.INIT_STRING, bytes([number]) * 250)
    assert rcr.read(flash, Record.PHY_DATA) == b"keep"
    assert rcr.read(flash, Record.INIT_STRING) == bytes([39]) * 250 + b"\0\0"


def test_a_record_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        rcr.write(FlashMemory(1 << 20), Record.INIT_STRING, bytes(300))


def test_partition_table_counts_only_after_the_first_boot() -> None:
    flash = FlashMemory(4 << 20)
    built = default_table(IROM_ADDRESS + 0x60000)
    rcr.write(flash, Record.PARTITION_TABLE, pack_table(built))
    assert rcr.partition_table(flash) is None
    real = first_time_setup(built, 4 << 20)
    rcr.write(flash, Record.PARTITION_TABLE, pack_table(real))
    assert rcr.partition_table(flash) == real
