from __future__ import annotations

import pytest

from bridge.image.mistakes import mistaken_for, other_chip
from tests.image import stock_shape


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\0", "blank"),
        (b"\xff" * 100, "blank"),
        (b"\0\0\0\1", None),
        (stock_shape.image()[0x10000:], "the part of a build for offset 0x10000"),
        # The first words of the code of NodeMCU 0.9.5: addresses that its functions use.
        (bytes.fromhex("00feef3f a0c02340 d0c02340 d4071040 12c1f009"), "the part of a build for offset 0x10000"),
        (b"\x05\x00\x04\x02" + bytes(124), "init data"),
        (b"\x05\x00\x04\x02" + bytes(125), None),
        (b"some text", None),
        (b"  \n<html>", "a web page"),
    ],
)
def test_what_it_is(data: bytes, what: str | None) -> None:
    found = mistaken_for(data)
    assert found is None if what is None else found is not None and what in found


def test_an_image_for_this_chip_is_for_no_other() -> None:
    assert other_chip(bytes([0xE9, 3, 0, 0, *bytes(4), 1, *bytes(20)])) is None
    assert other_chip(bytes([0xE9, 3, 0, 0, *bytes(4), 0xEE, 0, 0, 0, 5, *bytes(10), 1])) == "ESP32-C3"
    assert other_chip(bytes([0xE9, 3, 0, 0, *bytes(4), 0xEE, 0, 0, 0, 99, *bytes(10), 1])) is None
