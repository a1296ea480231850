from __future__ import annotations

import pytest

from bridge.flashing.table import Row, after_first_boot, file_system, is_fresh, read_table, records_of, too_large
from bridge.image import ImagePart
from bridge.virtual.chip import layout, rcr
from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.chip.make_image import Recipe, make
from tests.images import image, parts


@pytest.mark.parametrize("lfs", [0, 0x10000])
@pytest.mark.parametrize("spiffs", [layout.SPIFFS_ALL, 0x20000])
@pytest.mark.parametrize("size", [1 << 20, 4 << 20])
def test_a_first_boot_is_foreseen_as_the_firmware_does_it(lfs: int, spiffs: int, size: int) -> None:
    built = layout.default_table(0x40270000, lfs=lfs, spiffs=spiffs)
    table = tuple(Row(row.type, row.address, row.size) for row in built)
    made = tuple(Row(row.type, row.address, row.size) for row in layout.first_time_setup(built, size))
    assert is_fresh(table) and after_first_boot(table, size) == made
    assert after_first_boot(made, size) == made
    assert too_large(table, size) is None


def test_the_table_is_found_in_an_image_and_in_a_flash() -> None:
    records = records_of(parts(image()))
    table = read_table(records)
    files = file_system(table)
    assert files is not None and files.at + files.size == (4 << 20) - 0x3000
    fresh = make(Recipe(("net", "node", "tmr", "uart"), fresh=True))
    assert is_fresh(read_table(records_of(parts(fresh))))
    assert records_of([ImagePart(0, b"x")]) == b""
    assert read_table(b"") == read_table(b"\xff" * 4096) == read_table(b"\x03\x01\0\0") == ()
    # The newest record counts: the ones before are marked as deleted.
    flash = FlashMemory(1 << 20)
    for at in (0x1000, 0x2000):
        rcr.write(flash, rcr.Record.PARTITION_TABLE, layout.pack_table([layout.Partition(106, at, 0x1000)]))
    assert read_table(flash.read(0x10000, 4096)) == (Row(106, 0x2000, 0x1000),)


def test_a_table_that_does_not_fit() -> None:
    built = layout.default_table(0x40300000, lfs=0x40000)
    table = tuple(Row(row.type, row.address, row.size) for row in built)
    assert too_large(table, 1 << 20) is not None
    assert too_large(read_table(records_of(parts(image()))), 1 << 20) is not None
