from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from bridge.errors import UsageError
from bridge.virtual.chip.flash import SECTOR_SIZE, FlashMemory, PowerCut, erase_seconds, program_seconds

SIZE = 1 << 20


def test_new_flash_is_erased() -> None:
    flash = FlashMemory(SIZE)
    assert flash.read(0, SIZE) == b"\xff" * SIZE


def test_programming_only_clears_bits() -> None:
    flash = FlashMemory(SIZE)
    flash.program(10, b"\xf0\xaa")
    flash.program(10, b"\x3c\xff")
    assert flash.read(9, 4) == b"\xff\x30\xaa\xff"


def test_erase_takes_every_sector_it_touches() -> None:
    flash = FlashMemory(SIZE)
    flash.program(0, bytes(4 * SECTOR_SIZE))
    flash.erase(SECTOR_SIZE + 1, SECTOR_SIZE)
    erased = b"\xff" * SECTOR_SIZE
    assert flash.read(0, 4 * SECTOR_SIZE) == bytes(SECTOR_SIZE) + erased + erased + bytes(SECTOR_SIZE)


@pytest.mark.parametrize("offset,n", [(-1, 2), (SIZE - 1, 2), (SIZE + 1, 0), (0, -1)])
def test_nothing_outside_is_touched(offset: int, n: int) -> None:
    flash = FlashMemory(SIZE)
    with pytest.raises(ValueError, match="not inside"):
        flash.read(offset, n)
    with pytest.raises(ValueError, match="not inside"):
        flash.erase(offset, n)


@pytest.mark.parametrize("size,log", [(1 << 19, 0x13), (1 << 20, 0x14), (1 << 22, 0x16), (1 << 24, 0x18)])
def test_jedec_id_names_the_size(size: int, log: int) -> None:
    assert FlashMemory(size).jedec_id >> 16 == log


def test_a_size_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="3000000 bytes does not exist"):
        FlashMemory(3_000_000)


def test_file_keeps_the_contents(tmp_path: Path) -> None:
    file = tmp_path / "flash.bin"
    flash = FlashMemory(SIZE, file)
    flash.program(SIZE - 3, b"abc")
    flash.close()
    assert file.stat().st_size == SIZE
    again = FlashMemory(SIZE, file)
    assert again.read(SIZE - 3, 3) == b"abc"
    again.close()
    again.close()
    assert [path.name for path in tmp_path.iterdir()] == ["flash.bin"]


def test_file_of_another_size_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "flash.bin"
    file.write_bytes(b"\xff" * 1000)
    with pytest.raises(UsageError, match="has 1000 bytes, the board's flash 1048576"):
        FlashMemory(SIZE, file)
    assert file.read_bytes() == b"\xff" * 1000


def test_file_serves_one_board_at_a_time(tmp_path: Path) -> None:
    file = tmp_path / "flash.bin"
    flash = FlashMemory(SIZE, file)
    with pytest.raises(UsageError, match="in use by another board"):
        FlashMemory(SIZE, file)
    flash.close()
    FlashMemory(SIZE, file).close()


def test_file_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be used"):
        FlashMemory(SIZE, tmp_path / "no" / "flash.bin")


def _program_and_die(file: Path) -> None:
    flash = FlashMemory(SIZE, file)
    flash.program(0, b"first")
    flash.program(100, b"second")
    multiprocessing.current_process().kill()


def test_a_killed_process_leaves_what_the_chip_had(tmp_path: Path) -> None:
    file = tmp_path / "flash.bin"
    process = multiprocessing.get_context("spawn").Process(target=_program_and_die, args=(file,))
    process.start()
    process.join()
    flash = FlashMemory(SIZE, file)
    assert flash.read(0, 5) == b"first" and flash.read(100, 6) == b"second"
    flash.close()


def test_power_cut_inside_a_program(tmp_path: Path) -> None:
    flash = FlashMemory(SIZE, tmp_path / "flash.bin")
    flash.cut_power_after(3)
    with pytest.raises(PowerCut):
        flash.program(0, b"abcdef")
    with pytest.raises(PowerCut):
        flash.program(10, b"x")
    flash.cut_power_after(None)
    assert flash.read(0, 6) == b"abc\xff\xff\xff" and flash.read(10, 1) == b"\xff"
    flash.program(10, b"x")
    flash.close()


def test_power_cut_inside_an_erase() -> None:
    flash = FlashMemory(SIZE)
    flash.program(0, bytes(2 * SECTOR_SIZE))
    flash.cut_power_after(SECTOR_SIZE + 10)
    with pytest.raises(PowerCut):
        flash.erase(0, 2 * SECTOR_SIZE)
    assert flash.read(0, 2 * SECTOR_SIZE).count(0xFF) == SECTOR_SIZE + 10


def test_times_follow_the_data_sheet() -> None:
    assert program_seconds(257) == pytest.approx(2 * 0.7e-3)
    assert erase_seconds(4096) == pytest.approx(45e-3)
    assert erase_seconds(0x10000 + 1) == pytest.approx(0.150 + 0.045)
