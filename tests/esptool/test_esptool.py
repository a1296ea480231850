"""Every command of esptool that flashes or identifies a board, on a virtual one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.esptool.esptool_runs import MB, PLAIN, Board, board

DATA = hashlib.shake_128(b"flash").digest(5_000) + bytes(3_000) + b"text " * 400


@pytest.fixture(scope="module")
def blank() -> Iterator[Board]:
    """A board on whose line bytes take no time: these tests are about what is done, not how fast."""
    with board("--blank", "--mac", "5c:cf:7f:12:34:56", "--no-baud-pacing", "--adapter-latency-ms", "0") as made:
        yield made


@pytest.fixture
def paced() -> Iterator[Board]:
    """A board on a line as it is."""
    with board("--blank") as made:
        yield made


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "data.bin"
    path.write_bytes(DATA)
    return str(path)


def read(board: Board, tmp_path: Path, offset: int, n: int, baud: int = 460_800) -> bytes:
    out = tmp_path / "read.bin"
    board.esptool("read-flash", hex(offset), hex(n), str(out), baud=baud)
    return out.read_bytes()


def test_chip_id(blank: Board) -> None:
    output = blank.esptool("chip-id")
    assert "ESP8266EX" in output and "Crystal frequency:  26MHz" in output
    assert "Chip ID: 0x00123456" in output


def test_read_mac(blank: Board) -> None:
    assert "5c:cf:7f:12:34:56" in blank.esptool("read-mac")
    assert "5c:cf:7f:12:34:56" in blank.esptool("--no-stub", "read-mac")


def test_flash_id(blank: Board) -> None:
    output = blank.esptool("flash-id")
    assert "Manufacturer: ef" in output and "Device: 4014" in output and "Detected flash size: 1MB" in output


def test_compressed_at_115200(paced: Board, tmp_path: Path, file: str) -> None:
    output = paced.esptool("write-flash", "0x21000", file, baud=115_200)
    assert "Compressed 10000 bytes to" in output and "Hash of data verified" in output
    assert "Verification successful" in paced.esptool("verify-flash", "0x21000", file)
    assert read(paced, tmp_path, 0x20800, len(DATA) + 0x800, baud=115_200) == b"\xff" * 0x800 + DATA


def test_uncompressed_at_460800(paced: Board, tmp_path: Path, file: str) -> None:
    output = paced.esptool("write-flash", "-u", "0x31000", file)
    assert "Compressed" not in output and "Hash of data verified" in output
    assert read(paced, tmp_path, 0x31000, len(DATA) + 0x800) == DATA + b"\xff" * 0x800


def test_write_without_a_stub(blank: Board, tmp_path: Path, file: str) -> None:
    blank.esptool("write-flash", "0x40000", file)
    shorter = tmp_path / "shorter.bin"
    shorter.write_bytes(b"\x5a" * 3000)
    # Over what is there already: a write without an erase would leave the bits of both.
    blank.esptool("--no-stub", "write-flash", "0x40000", str(shorter), baud=115_200)
    assert read(blank, tmp_path, 0x40000, 3000) == b"\x5a" * 3000


def test_verify_finds_a_difference(blank: Board, tmp_path: Path, file: str) -> None:
    blank.esptool("write-flash", "0x60000", file)
    other = tmp_path / "other.bin"
    other.write_bytes(DATA[:5000] + b"!" + DATA[5001:])
    code, output = blank.try_esptool("verify-flash", "0x60000", str(other))
    assert code != 0 and "Verification failed" in output


def test_erases(blank: Board, tmp_path: Path, file: str) -> None:
    blank.esptool("write-flash", "0x80000", file)
    blank.esptool("erase-region", "0x81000", "0x1000")
    assert read(blank, tmp_path, 0x80000, 0x2710) == DATA[:0x1000] + b"\xff" * 0x1000 + DATA[0x2000:]
    blank.esptool("write-flash", "--erase-all", "0x83000", file)
    assert read(blank, tmp_path, 0x80000, 0x4000) == b"\xff" * 0x3000 + DATA[:0x1000]
    assert "erased successfully" in blank.esptool("erase-flash")
    assert read(blank, tmp_path, 0x83000, 0x1000) == b"\xff" * 0x1000


def test_a_running_stub_is_found_again(blank: Board) -> None:
    output = blank.esptool("--after", "no-reset", "flash-id", baud=115_200)
    assert "Stub flasher running" in output
    output = blank.esptool("--before", "no-reset", "flash-id", baud=115_200)
    assert "Stub flasher is already running" in output and "Detected flash size: 1MB" in output


def test_registers_and_flash_status(blank: Board) -> None:
    assert "0xfff0c101" in blank.esptool("read-mem", "0x40001000")
    blank.esptool("write-flash-status", "--non-volatile", "--bytes", "1", "0x1c")
    assert "0x001c" in blank.esptool("read-flash-status", "--bytes", "1")
    assert "0x53 0x46 0x44 0x50" in blank.esptool("read-flash-sfdp", "0", "4")


def test_writing_beyond_the_flash_is_refused(blank: Board, file: str) -> None:
    code, output = blank.try_esptool("write-flash", hex(MB - 0x1000), file)
    assert code != 0 and "will not fit" in output


def _plain(*arguments: str) -> str:
    with board("--blank") as own:
        return own.esptool(*arguments, how=PLAIN)


def test_esptool_as_it_comes(file: str) -> None:
    # Each takes 20 s of waiting in pyserial's client, so that they wait side by side.
    commands = {
        ("chip-id",): "Chip ID: 0x00",
        ("write-flash", "0x1000", file): "Hash of data verified",
        ("--no-stub", "write-flash", "0x1000", file): "Wrote 10000 bytes at 0x00001000",
        ("erase-flash",): "Flash memory erased successfully",
    }
    with ThreadPoolExecutor(len(commands)) as pool:
        outputs = list(pool.map(lambda arguments: _plain(*arguments), commands))
    for output, expected in zip(outputs, commands.values(), strict=True):
        assert expected in output
        assert "Hard resetting via RTS pin" in output
