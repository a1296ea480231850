from __future__ import annotations

import pytest

from bridge.virtual.chip.layout import (
    IROM_ADDRESS,
    NIBBLE_OF_SIZE,
    SIZE_OF_NIBBLE,
    SPIFFS_ALL,
    LayoutError,
    Partition,
    PartitionType,
    default_table,
    find,
    first_time_setup,
    needs_first_time_setup,
    pack_table,
    unpack_table,
)

IROM_END = IROM_ADDRESS + 0x6B000


def test_stock_table_of_a_4_mb_board() -> None:
    table = first_time_setup(default_table(IROM_END), 4 << 20)
    assert [(row.type, row.address, row.size) for row in table] == [
        (PartitionType.EAGLEROM, 0x0, 0xB000),
        (PartitionType.RF_CAL, 0xD000, 0x1000),
        (PartitionType.PHY_DATA, 0xF000, 0x1000),
        (PartitionType.IROM0TEXT, 0x10000, 0x6C000),
        (PartitionType.SPIFFS0, 0x7C000, 0x3FD000 - 0x7C000),
        (PartitionType.SYSTEM_PARAMETER, 0x3FD000, 0x3000),
    ]


@pytest.mark.parametrize("size", [1 << 20, 1 << 21, 1 << 22, 1 << 23, 1 << 24])
def test_parameters_are_the_last_three_sectors_of_every_size(size: int) -> None:
    table = first_time_setup(default_table(IROM_END), size)
    last, spiffs = table[-1], find(table, PartitionType.SPIFFS0)
    assert (last.type, last.end, last.size) == (PartitionType.SYSTEM_PARAMETER, size, 0x3000)
    assert spiffs is not None and spiffs.end == last.address


def test_spiffs_of_a_given_size_floats_to_the_megabyte() -> None:
    table = first_time_setup(default_table(IROM_END, spiffs=0x20000), 4 << 20)
    assert find(table, PartitionType.SPIFFS0) == Partition(PartitionType.SPIFFS0, 0x100000, 0x20000)


def test_spiffs_of_a_given_size_stays_low_where_the_megabyte_has_no_room() -> None:
    table = first_time_setup(default_table(IROM_END, spiffs=0x40000), 1 << 20)
    assert find(table, PartitionType.SPIFFS0) == Partition(PartitionType.SPIFFS0, 0x7C000, 0x40000)


def test_lfs_stands_behind_the_code() -> None:
    table = first_time_setup(default_table(IROM_END, lfs=0x10001), 4 << 20)
    assert find(table, PartitionType.LFS0) == Partition(PartitionType.LFS0, 0x7C000, 0x12000)
    spiffs = find(table, PartitionType.SPIFFS0)
    assert spiffs is not None and spiffs.address == 0x8E000


def test_no_spiffs_is_no_partition() -> None:
    assert find(first_time_setup(default_table(IROM_END, spiffs=0), 4 << 20), PartitionType.SPIFFS0) is None


def test_code_that_is_too_long_does_not_fit() -> None:
    with pytest.raises(LayoutError, match="Partition 3 invalid alignment"):
        first_time_setup(default_table(IROM_ADDRESS + 0x100000, spiffs=SPIFFS_ALL), 1 << 20)


def test_code_over_the_parameters_leaves_a_table_that_the_sdk_refuses() -> None:
    table = first_time_setup(default_table(IROM_ADDRESS + 0xEE000), 1 << 20)
    spiffs = find(table, PartitionType.SPIFFS0)
    assert spiffs is not None and spiffs.end > 1 << 20


def test_table_survives_the_way_through_flash() -> None:
    table = default_table(IROM_END)
    assert unpack_table(pack_table(table) + b"\xff\xff") == table
    assert needs_first_time_setup(table)
    assert not needs_first_time_setup(first_time_setup(table, 4 << 20))
    assert not needs_first_time_setup(())


def test_size_nibbles_go_both_ways() -> None:
    for size, nibble in NIBBLE_OF_SIZE.items():
        assert SIZE_OF_NIBBLE[nibble] == size
