"""What is flashed is what boots, and what cannot boot says why at 74880 baud."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.virtual.chip.make_image import Recipe, make
from tests.esptool.esptool_runs import MB, Board, board

SMALL = make(Recipe(("node", "tmr", "uart"), flash_size=MB))
FRESH = make(Recipe(("node", "tmr", "uart"), flash_size=MB, fresh=True))
OTHER = make(Recipe(("bit", "encoder", "net", "node", "uart"), lua="5.3", flash_size=MB))


@pytest.fixture(scope="module")
def booting() -> Iterator[Board]:
    """A board that no test leaves without a firmware that boots."""
    with board("--modules", "node,tmr,uart", "--no-baud-pacing", "--adapter-latency-ms", "0") as made:
        yield made


def write(board: Board, tmp_path: Path, data: bytes, offset: int = 0, *options: str, reset: bool = True) -> None:
    file = tmp_path / "image.bin"
    file.write_bytes(data)
    after = "hard-reset" if reset else "no-reset"
    board.esptool("--after", after, "write-flash", *options, hex(offset), str(file))


def test_what_is_flashed_boots(booting: Board, tmp_path: Path) -> None:
    assert "modules: node,tmr,uart\n" in booting.banner()
    assert booting.ask("=net, tmr ~= nil") == "nil\ttrue"
    write(booting, tmp_path, OTHER)
    file = tmp_path / "image.bin"
    assert "Verification successful" in booting.esptool("verify-flash", "0", str(file))
    text = booting.banner()
    assert "modules: bit,encoder,net,node,uart\n" in text and "powered by Lua 5.3.6" in text
    assert "stand-in for a stock build, made by nodemcu-bridge" in text
    assert booting.ask("=tmr, net ~= nil, encoder ~= nil, 7//2") == "nil\ttrue\ttrue\t3"
    write(booting, tmp_path, FRESH, 0, "--no-compress", reset=False)
    text = booting.boot_text(b"Writing Init Data")
    assert text.count(" ets Jan  8 2013,rst cause:2, boot mode:(3,6)\n") == 2
    assert "modules: node,tmr,uart\n" in booting.banner()
    assert booting.ask("=net, encoder, tmr ~= nil") == "nil\tnil\ttrue"


def test_boot_text_of_a_good_board(booting: Board) -> None:
    text = booting.boot_text(b"rf[114] : 01")
    assert " ets Jan  8 2013,rst cause:2, boot mode:(3,6)\n\nload 0x40100000, len 27444, room 16 \n" in text
    assert "system SPI FI size:2, Flash size: 1048576\n" in text


@pytest.mark.parametrize(
    "at,text,why",
    [
        (0x1234, "csum err\nets_main.c \n", "the image at 0x00000 is damaged: its bytes make checksum"),
        (0x20000, "irom checksum error at 0x00020000\n", "it differs in the 4 KiB from 0x20000"),
    ],
)
def test_one_flipped_payload_byte(booting: Board, tmp_path: Path, at: int, text: str, why: str) -> None:
    sector = at & ~0xFFF
    damaged = bytearray(SMALL[sector : sector + 0x1000])
    damaged[at - sector] ^= 0x20
    write(booting, tmp_path, bytes(damaged), sector)
    try:
        said = booting.boot_text(b"[virtual board]")
        assert text in said and why in said
    finally:
        write(booting, tmp_path, SMALL[sector : sector + 0x1000], sector)
    assert "modules: node,tmr,uart\n" in booting.banner()


def test_size_nibble_of_512_kb(booting: Board, tmp_path: Path) -> None:
    first = make(Recipe(("node", "tmr", "uart"), flash_size=MB // 2))[:0x1000]
    assert first[3] == 0x00 and SMALL[3] == 0x20 and first[4:] == SMALL[4:0x1000]
    write(booting, tmp_path, first)
    try:
        said = booting.boot_text(b"[virtual board]")
        assert "Flash size (524288) too small to support NodeMCU\n" in said
        assert "the image header says 512 KB of flash (size nibble 0); NodeMCU 3.x needs 1 MB or more" in said
    finally:
        write(booting, tmp_path, SMALL[:0x1000])
    assert "modules: node,tmr,uart\n" in booting.banner()


def test_erased_flash_and_a_wrong_offset(booting: Board, tmp_path: Path) -> None:
    booting.esptool("erase-flash")
    said = booting.boot_text(b"[virtual board]")
    assert said.endswith("boot mode:(3,6)\n\nets_main.c \n[virtual board] the flash is erased\n")
    write(booting, tmp_path, SMALL, 0x1000)
    try:
        said = booting.boot_text(b"[virtual board]")
        assert "ets_main.c \n" in said
        assert "there is no image at 0x00000, where the chip boots from; one begins at 0x01000" in said
    finally:
        write(booting, tmp_path, SMALL, 0, "--erase-all")
    assert "modules: node,tmr,uart\n" in booting.banner()
