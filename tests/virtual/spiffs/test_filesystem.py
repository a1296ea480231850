"""Files in flash: limits as SPIFFS, and nothing lost but what was being written."""

from __future__ import annotations

import random

import pytest

from bridge.virtual.chip.flash import FlashMemory, PowerCut
from bridge.virtual.spiffs import Busy, FileSystem, Whence, format_region, mount

ADDRESS, SIZE = 0x40000, 0x10000


def make_flash() -> FlashMemory:
    flash = FlashMemory(512 * 1024)
    format_region(flash, ADDRESS, SIZE)
    return flash


def mounted(flash: FlashMemory) -> FileSystem:
    found = mount(flash, ADDRESS, SIZE)
    assert found.found
    return found.fs


def contents(fs: FileSystem) -> dict[bytes, bytes | None]:
    return {name: fs.read_file(name) for name, _ in fs.files()}


def test_files_survive_a_reset() -> None:
    flash = make_flash()
    fs = mounted(flash)
    assert fs.write_file(b"init.lua", b"print(1)")
    assert fs.write_file(b"empty", b"")
    assert fs.write_file(b"big", bytes(range(256)) * 20)
    assert contents(mounted(flash)) == contents(fs)
    assert fs.files() == [(b"init.lua", 8), (b"empty", 0), (b"big", 5120)]


def test_other_regions_are_not_touched_and_do_not_matter() -> None:
    flash = make_flash()
    flash.program(ADDRESS - 4096, b"before")
    flash.program(ADDRESS + SIZE, b"after")
    mounted(flash).write_file(b"a", b"x" * 30000)
    assert flash.read(ADDRESS - 4096, 6) == b"before"
    flash.erase(0, ADDRESS)
    assert mounted(flash).size(b"a") == 30000
    assert flash.read(ADDRESS + SIZE, 5) == b"after"


@pytest.mark.parametrize("filler", [b"\xff", b"\x00", b"SPIFFS image of another build"])
def test_a_region_without_a_file_system_is_not_mounted(filler: bytes) -> None:
    flash = FlashMemory(512 * 1024)
    flash.program(ADDRESS, (filler * SIZE)[:SIZE])
    found = mount(flash, ADDRESS, SIZE)
    assert not found.found
    assert found.fs.format()
    assert mounted(flash).files() == []


def test_a_region_of_another_size_is_not_mounted() -> None:
    flash = make_flash()
    assert not mount(flash, ADDRESS, SIZE + 0x2000).found


def test_a_partition_that_is_too_small_holds_nothing() -> None:
    fs = mount(FlashMemory(512 * 1024), ADDRESS, 0x3000).fs
    assert not fs.format()
    assert fs.open(b"a", b"w") is None
    assert fs.usage() is None


def test_sizes_are_those_of_spiffs() -> None:
    # 8 blocks of 32 pages, one of them the lookup page, two blocks spare, one emergency page, 251 bytes a page.
    fs = mounted(make_flash())
    usage = fs.usage()
    assert usage is not None
    assert (usage.total, usage.used) == ((6 * 31 + 1) * 251, 0)
    fs.write_file(b"a", b"")
    fs.write_file(b"b", b"x" * 252)
    usage = fs.usage()
    assert usage is not None and usage.used == (1 + 3) * 251
    fs.write_file(b"c", b"x" * 251 * 106)  # one data page more than an index header names
    usage = fs.usage()
    assert usage is not None and usage.used == (1 + 3 + 108) * 251


def test_a_full_file_system_refuses_a_write_whole_and_takes_it_after_a_removal() -> None:
    flash = make_flash()
    fs = mounted(flash)
    count = 0
    while fs.write_file(b"%d" % count, b"x" * 3000):
        count += 1
    assert count == 14  # 13 pages each of 186
    assert fs.size(b"%d" % count) == 0
    handle = fs.open(b"0", b"a")
    assert handle is not None and handle.write(b"y" * 300) == 300 and handle.write(b"y" * 800) is None
    handle.close()
    fs.remove(b"1")
    assert fs.write_file(b"again", b"z" * 2900)
    assert contents(mounted(flash)) == contents(fs)


def test_rewriting_for_ever_wears_blocks_evenly() -> None:
    flash = make_flash()
    fs = mounted(flash)
    fs.write_file(b"fixed", b"f" * 20000)
    dice = random.Random(5)
    for _ in range(400):
        name = b"%d" % dice.randrange(5)
        data = bytes([dice.randrange(256)]) * dice.randrange(3000)
        assert fs.write_file(name, data)
        assert fs.read_file(name) == data
    assert contents(mounted(flash)) == contents(fs)


def test_modes() -> None:
    fs = mounted(make_flash())
    assert fs.open(b"a", b"r") is None
    assert fs.open(b"a", b"r+") is None
    writer = fs.open(b"a", b"w")
    assert writer is not None and writer.read(1) is None
    assert writer.write(b"hello") == 5
    writer.close()
    both = fs.open(b"a", b"r+")
    assert both is not None and both.read(2) == b"he"
    assert both.write(b"LP") == 2
    assert both.seek(0, Whence.SET) and both.read(99) == b"heLPo"
    assert both.read(1) is None
    both.close()
    appender = fs.open(b"a", b"a+")
    assert appender is not None and appender.seek(0, Whence.SET)
    assert appender.write(b"!") == 1
    assert appender.seek(-2, Whence.END) and appender.read(5) == b"o!"
    appender.close()
    reader = fs.open(b"a", b"rb")  # not a mode: reads
    assert reader is not None and reader.write(b"x") is None
    reader.close()
    fresh = fs.open(b"a", b"w+")
    assert fresh is not None and fs.size(b"a") == 0


def test_seeking_outside_fails_and_stands_at_the_end() -> None:
    fs = mounted(make_flash())
    fs.write_file(b"a", b"0123456789")
    handle = fs.open(b"a", b"r")
    assert handle is not None
    assert not handle.seek(-1, Whence.SET) and handle.tell() == 0
    assert handle.seek(4, Whence.CURRENT) and handle.tell() == 4
    assert not handle.seek(11, Whence.SET) and handle.tell() == 10


def test_four_files_may_be_open() -> None:
    fs = mounted(make_flash())
    handles = [fs.open(b"%d" % n, b"w") for n in range(4)]
    assert all(handles)
    assert fs.open(b"5", b"w") is None
    assert not fs.remove(b"0")  # needs a descriptor, too
    first = handles[0]
    assert first is not None
    first.close()
    first.close()
    assert fs.open(b"5", b"w") is not None


def test_names() -> None:
    fs = mounted(make_flash())
    assert fs.write_file(b"n" * 31, b"1")
    assert not fs.write_file(b"n" * 32, b"1")
    assert not fs.rename(b"n" * 31, b"n" * 32)
    assert fs.write_file(b"dir/file", b"2") and fs.rename(b"dir/file", b"other")
    assert not fs.rename(b"other", b"n" * 31)
    assert not fs.rename(b"missing", b"x")
    assert contents(fs) == {b"n" * 31: b"1", b"other": b"2"}


def test_a_removed_file_is_gone_for_who_has_it_open() -> None:
    fs = mounted(make_flash())
    fs.write_file(b"a", b"text")
    handle = fs.open(b"a", b"r")
    assert handle is not None and fs.remove(b"a")
    assert handle.read(1) is None and not handle.flush()
    handle.close()
    assert fs.files() == []


def test_small_writes_wait_in_memory_for_a_flush() -> None:
    flash = make_flash()
    fs = mounted(flash)
    handle = fs.open(b"log", b"a")
    assert handle is not None
    for n in range(10):
        assert handle.write(b"line %d\n" % n) == 7
    assert mounted(flash).size(b"log") == 0
    assert handle.flush()
    assert mounted(flash).size(b"log") == 70
    handle.write(b"tail")
    handle.close()
    assert mounted(flash).size(b"log") == 74


def test_two_handles_see_one_file() -> None:
    fs = mounted(make_flash())
    writer, reader = fs.open(b"a", b"w"), fs.open(b"a", b"r")
    assert writer is not None and reader is not None
    assert reader.read(5) is None
    writer.write(b"x" * 300)
    assert reader.read(500) == b"x" * 300


def script(fs: FileSystem, dice: random.Random, seen: list[dict[bytes, bytes | None]]) -> None:
    """Changes of every kind; `seen` gets the state after each."""
    for _ in range(60):
        name = b"%d" % dice.randrange(6)
        match dice.randrange(4):
            case 0:
                fs.remove(name)
            case 1:
                fs.rename(name, b"%d" % dice.randrange(6))
            case _:
                handle = fs.open(name, b"r+") or fs.open(name, b"w")
                assert handle is not None
                seen.append(contents(fs))
                handle.seek(0, Whence.END if dice.randrange(2) else Whence.SET)
                handle.write(bytes([dice.randrange(256)]) * dice.randrange(256, 6000))
                handle.close()
        seen.append(contents(fs))


def copy_of(flash: FlashMemory) -> FlashMemory:
    other = FlashMemory(flash.size)
    other.program(0, flash.read(0, flash.size))
    return other


@pytest.mark.parametrize("seed", range(12))
def test_a_power_cut_leaves_the_state_before_the_change_in_work_or_after_it(seed: int) -> None:
    flash = make_flash()
    dice = random.Random(seed)
    fs = mounted(flash)
    fs.write_file(b"ballast", b"b" * 15000)
    for _ in range(8):
        run = dice.randrange(1 << 30)
        whole = [contents(fs)]
        script(mounted(copy_of(flash)), random.Random(run), whole)
        seen = [contents(fs)]
        flash.cut_power_after(dice.randrange(60000))
        try:
            script(fs, random.Random(run), seen)
        except PowerCut:
            pass
        flash.cut_power_after(None)
        fs = mounted(flash)
        assert seen == whole[: len(seen)]
        assert contents(fs) in whole[len(seen) - 1 : len(seen) + 1]


@pytest.mark.parametrize("seed", range(6))
def test_power_cuts_during_recovery_are_survived(seed: int) -> None:
    flash = make_flash()
    fs = mounted(flash)
    dice = random.Random(seed)
    data = {b"%d" % n: bytes([n]) * 3300 for n in range(8)}
    for name, content in data.items():
        assert fs.write_file(name, content)
    for _ in range(25):
        flash.cut_power_after(dice.randrange(12000))
        try:
            fs = mounted(flash)
            for n in range(40):
                fs.write_file(b"churn", bytes([n]) * 900)
        except PowerCut:
            pass
        flash.cut_power_after(None)
        for _ in range(2):  # and again in the middle of putting it right
            flash.cut_power_after(dice.randrange(3000))
            try:
                mounted(flash)
            except PowerCut:
                pass
            flash.cut_power_after(None)
        fs = mounted(flash)
        assert {name: fs.read_file(name) for name in data} == data
        assert fs.write_file(b"churn", b"c" * 900)


def test_flash_operations_take_their_time() -> None:
    waits: list[float] = []
    flash = FlashMemory(512 * 1024)
    fs = mount(flash, ADDRESS, SIZE, Busy(waits.append)).fs
    sectors: list[int] = []
    fs.format(sectors.append)
    assert sectors == list(range(16))
    assert sum(waits) == pytest.approx(16 * 45e-3, rel=0.01)
    waits.clear()
    fs.write_file(b"a", b"x" * 1004)
    # Two headers, four data pages; each page with its entry, and the first header struck out.
    assert sum(waits) == pytest.approx(4 * 0.7e-3, rel=0.35)


def test_what_was_removed_is_erased_by_those_who_write_and_not_by_a_start() -> None:
    """As `spiffs_obj_lu_find_free` has it: a board that has lost a large file starts as fast as before."""
    waits: list[float] = []
    flash = FlashMemory(1 << 20)
    area = 512 * 1024
    mount(flash, ADDRESS, area, Busy(waits.append)).fs.format()
    for large in range(3):
        fs = mount(flash, ADDRESS, area, Busy(waits.append)).fs
        assert fs.write_file(b"large", bytes([large]) * 400_000)
        assert fs.remove(b"large")
        waits.clear()
        fs = mount(flash, ADDRESS, area, Busy(waits.append)).fs
        assert sum(waits) < 45e-3, "less than a sector's erasure"
        assert fs.files() == []
