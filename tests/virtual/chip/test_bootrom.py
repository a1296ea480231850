from __future__ import annotations

import struct

import pytest

from bridge.virtual.chip.bootrom import flash_boot, greeting
from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.chip.image import checksum

IRAM, DRAM = 0x40100000, 0x3FFE8000


def image(*segments: tuple[int, bytes]) -> bytes:
    data = struct.pack("<BBBBI", 0xE9, len(segments), 2, 0x40, IRAM)
    value = 0xEF
    for address, payload in segments:
        data += struct.pack("<II", address, len(payload)) + payload
        value = checksum(payload, value)
    return data + bytes(15 - len(data) % 16) + bytes([value])


def flashed(data: bytes, at: int = 0) -> FlashMemory:
    flash = FlashMemory(1 << 20)
    flash.program(at, data)
    return flash


# Segment lengths of real boards and what their ROM printed (Espressif forum t=10362, esp8266/Arduino issue 435,
# nodemcu-firmware issues 3312 and 1646, SDK issue 212).
REAL = [
    ((25700, 848, 184), ["room 16", "tail 4", "room 4", "tail 12", "ho 0 tail 12 room 4", "room 12", "tail 12"]),
    ((28780, 1580, 36588), ["room 16", "tail 12", "ho 0 tail 12 room 4", "room 12", "tail 0", "room 8", "tail 4"]),
    ((27444, 2568, 8), ["room 16", "tail 4", "room 4", "tail 4", "room 4", "tail 4"]),
    ((26656, 2424, 136), ["room 16", "tail 0", "room 8", "tail 0", "room 8", "tail 0"]),
    ((856, 236), ["room 16", "tail 8", "room 0", "tail 12"]),
    ((2408, 776, 632), ["room 16", "tail 8", "room 0", "tail 8", "room 0", "tail 8"]),
]


@pytest.mark.parametrize("lengths,expected", REAL)
def test_rooms_and_tails_are_those_of_real_boards(lengths: tuple[int, ...], expected: list[str]) -> None:
    boot = flash_boot(flashed(image(*[(IRAM if n == 0 else DRAM, bytes(m)) for n, m in enumerate(lengths)])), 2)
    assert boot.image is not None
    found = []
    for line in boot.text.splitlines():
        if line.startswith("load"):
            found.append(line.split(", ")[2].strip())
        elif line.startswith(("tail", "ho")):
            found.append(line)
    assert found == expected


def test_whole_text_of_a_good_boot() -> None:
    boot = flash_boot(flashed(image((IRAM, b"\x01" * 20), (DRAM, b"\x02" * 8))), 2)
    assert boot.text == (
        "\n ets Jan  8 2013,rst cause:2, boot mode:(3,6)\n\n"
        "load 0x40100000, len 20, room 16 \ntail 4\nchksum 0xef\n"
        "load 0x3ffe8000, len 8, room 4 \ntail 4\nchksum 0xef\n"
        "csum 0xef\n"
    )
    assert boot.why == ""


def test_watchdog_is_named() -> None:
    assert "boot mode:(3,6)\n\nwdt reset\nload 0x" in flash_boot(flashed(image((IRAM, b"code"))), 4).text


def test_download_mode_is_the_first_number() -> None:
    assert greeting(1, download=True) == "\n ets Jan  8 2013,rst cause:1, boot mode:(1,6)\n\n"


def test_erased_flash() -> None:
    boot = flash_boot(FlashMemory(1 << 20), 1)
    assert boot.image is None
    assert boot.text.endswith("boot mode:(3,6)\n\nets_main.c \n")
    assert boot.why == "the flash is erased"


def test_one_changed_byte() -> None:
    data = bytearray(image((IRAM, bytes(100))))
    data[50] ^= 0x10
    boot = flash_boot(flashed(bytes(data)), 2)
    assert boot.image is None
    assert boot.text.endswith("csum 0xff\ncsum err\nets_main.c \n")
    assert "its bytes make checksum 0xff, stored is 0xef" in boot.why


def test_image_at_a_wrong_offset() -> None:
    boot = flash_boot(flashed(image((IRAM, bytes(100))), 0x1000), 2)
    assert boot.image is None and boot.text.endswith("ets_main.c \n")
    assert "one begins at 0x01000" in boot.why


def test_image_at_a_wrong_offset_inside_another() -> None:
    flash = flashed(image((IRAM, bytes(range(256)) * 40)))
    flash.erase(0x1000, 0x1000)
    flash.program(0x1000, image((IRAM, b"other")))
    boot = flash_boot(flash, 2)
    assert boot.image is None and "csum err" in boot.text and "a whole image begins at 0x01000" in boot.why


def test_other_data_at_the_start() -> None:
    assert "begins with 0x7f instead of 0xe9" in flash_boot(flashed(b"\x7fELF"), 2).why
    assert "second-stage loader" in flash_boot(flashed(b"\xea\x04\x00\x00" + bytes(20)), 2).why


def test_segment_header_of_erased_flash() -> None:
    data = image((IRAM, bytes(25020)))
    boot = flash_boot(flashed(data[:1] + b"\x02" + data[2 : 16 + 25020]), 2)
    # esp8266.com forum t=7975: the second header reads as 0xff.
    assert boot.text.endswith("tail 12\nchksum 0xef\nho 0 tail 12 room 4\nload 0xffffffff, len -1, room 12 \n")
    assert boot.image is None and "cut short" in boot.why
