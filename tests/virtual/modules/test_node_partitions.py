"""The partition table as Lua reads and sets it (app/modules/node.c)."""

from __future__ import annotations

import pytest

from bridge.virtual.chip.layout import Partition, PartitionType
from bridge.virtual.clock import run
from bridge.virtual.lua.api import LuaFault
from bridge.virtual.modules.node_partitions import changed
from bridge.virtual.sdk.kernel import BootReason
from tests.virtual.bench import Bench

FLASH = 4 << 20
IROM = Partition(PartitionType.IROM0TEXT, 0x10000, 0x80000)
SPIFFS = Partition(PartitionType.SPIFFS0, 0x90000, FLASH - 0x3000 - 0x90000)
PARAMETERS = Partition(PartitionType.SYSTEM_PARAMETER, FLASH - 0x3000, 0x3000)
TABLE = (IROM, SPIFFS, PARAMETERS)


def test_lfs_goes_between_firmware_and_files() -> None:
    wanted = {"lfs_addr": 0x90000, "lfs_size": 0x20000, "spiffs_addr": 0x100000, "spiffs_size": 0x80000}
    assert changed(TABLE, wanted, FLASH) == [
        IROM,
        Partition(PartitionType.LFS0, 0x90000, 0x20000),
        Partition(PartitionType.SPIFFS0, 0x100000, 0x80000),
        PARAMETERS,
    ]


def test_a_file_system_with_a_size_begins_at_a_megabyte_if_it_fits_there() -> None:
    assert changed(TABLE, {"spiffs_size": 0x10000}, FLASH)[1].address == 0x100000
    assert changed(TABLE, {"spiffs_size": FLASH - 0x3000 - 0x90000}, FLASH)[1] == SPIFFS
    assert changed(TABLE, {"spiffs_size": 0}, FLASH) == [IROM, PARAMETERS]


@pytest.mark.parametrize("wanted", [{"lfs_size": 1}, {"spiffs_addr": 0x80000}, {"spiffs_size": 0x800000}])
def test_what_does_not_fit_is_refused(wanted: dict[str, int]) -> None:
    with pytest.raises(LuaFault, match="Partition value out of range"):
        changed(TABLE, wanted, FLASH)


def test_a_new_table_comes_with_the_watchdog() -> None:
    async def main() -> None:
        bench = await Bench.boot()
        for line, complaint in (
            ("node.setpartitiontable(1)", "must be table"),
            ("node.setpartitiontable({lfs=1})", "invalid partition setting"),
            ("node.setpartitiontable({lfs_size='x'})", "invalid partition setting"),
        ):
            assert f"bad argument #1 to 'setpartitiontable' ({complaint})" in await bench.answer(line)
        said = await bench.type("node.setpartitiontable({spiffs_addr=0x100000,spiffs_size=0x20000})", 5)
        assert "\r\nPartition 0: 0065 000000 00b000\r\n" in said
        assert "\r\nPartition 4: 006a 100000 020000\r\n" in said
        assert bench.resets == [BootReason(4, 3)]
        line = "t=node.getpartitiontable() print(t.spiffs_addr,t.spiffs_size,t.lfs_size)"
        assert await bench.answer(line) == "1048576\t131072\t0"
        bench.close()

    run(main())
