from __future__ import annotations

import random

import pytest

from bridge.virtual.garble import Garbler
from bridge.wire.noise import end_of_lines, is_noise, is_slow

BOOT = b"\r\n ets Jan  8 2013,rst cause:2, boot mode:(3,6)\r\n\r\nload 0x40100000, len 27444, room 16 \r\n" * 2


@pytest.mark.parametrize("baud", [230_400, 460_800, 921_600])
def test_a_console_that_is_slower_than_the_line(baud: int) -> None:
    heard = Garbler(115_200, baud, random.Random(baud)).feed(BOOT, last=True)
    pieces = [piece for piece in heard.split(b"\0") if piece]
    assert pieces and all(is_noise(piece, baud / 115_200) for piece in pieces)
    assert not any(is_noise(piece, 1.0) for piece in pieces), "at the console's own speed nothing is noise"


def test_what_is_no_noise() -> None:
    rng = random.Random(1)
    for slower in (2.0, 4.0, 8.0):
        assert not is_noise(b"", slower)
        assert not is_noise(b"a line of text\r\n", slower)
        assert not any(is_noise(rng.randbytes(20), slower) for _ in range(500))
    assert [byte for byte in range(256) if is_slow(byte, 8.0)] == [0x00, 0x80]


def test_whole_lines() -> None:
    assert [end_of_lines(text) for text in (b"", b"x", b"x\r\n", b"x\ny\n\x80")] == [0, 0, 3, 4]
