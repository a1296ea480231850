from __future__ import annotations

import pytest

from bridge.flashing.boot_text import diagnose

START = b"\n ets Jan  8 2013,rst cause:%d, boot mode:(%d,6)\n\n"
LOADED = b"load 0x40100000, len 27444, room 16 \ntail 4\nchksum 0x1b\ncsum 0x1b\n"


@pytest.mark.parametrize(
    ("heard", "kind", "words"),
    [
        (b"", "silent", "prints nothing"),
        (b"\xff\x00\x80garbage", "foreign", "no text of an ESP8266"),
        (START % (2, 1) + b"waiting for host\n", "download", "GPIO0 is held low"),
        (START % (2, 7), "sdio", "GPIO15"),
        (START % (2, 3) + b"ets_main.c \n", "blank", "finds no image"),
        (START % (2, 3) + LOADED[:-10] + b"csum 0x2c\ncsum err\nets_main.c \n", "mode", "reads wrong bytes"),
        (START % (2, 3) + b"load 0x40100000, len 27444, room 16 \n", "mode", "stops while it loads"),
        (START % (2, 3) + b"load 0x00000000, len 1, room 16 \nets_main.c \n", "damaged", "cannot load"),
        (START % (2, 3) + LOADED + b"Flash size (524288) too small to support NodeMCU\n", "size", "512 KB of flash"),
        (START % (2, 3) + LOADED + b"rf_cal[0] !=0x05,is 0xFF\n", "init-data", "init data"),
        (START % (2, 3) + LOADED + b"irom checksum error at 0x00012000\n", "damaged", "0x00012000"),
        (START % (2, 3) + LOADED + b"Invalid system partition table\n", "partitions", "partition table"),
        (3 * (START % (4, 3) + LOADED), "loop", "again and again (3 times, by watchdog of the hardware)"),
        (START % (2, 3) + LOADED, "started", "no console comes up"),
    ],
)  # fmt: skip
def test_what_boards_print_is_told_apart(heard: bytes, kind: str, words: str) -> None:
    finding = diagnose(heard)
    assert finding.kind == kind
    assert words in finding.what and finding.remedy.endswith(".")


def test_the_reason_of_a_loop_comes_before_the_loop() -> None:
    turn = START % (4, 3) + LOADED + b"rf_cal[0] !=0x05,is 0xFF\n"
    assert diagnose(4 * turn).kind == "init-data"
