"""A receiver at the wrong speed."""

from __future__ import annotations

from random import Random

import pytest

from bridge.virtual.garble import Garbler, same_speed

TEXT = b"\r\n ets Jan  8 2013,rst cause:2, boot mode:(3,6)\r\n"


@pytest.mark.parametrize("receiver", [115200, 113000, 118000, 120000])
def test_a_small_difference_of_speed_does_no_harm(receiver: int) -> None:
    assert Garbler(115200, receiver, Random(1)).feed(TEXT, last=True) == TEXT


@pytest.mark.parametrize(("sender", "receiver"), [(74880, 115200), (115200, 74880), (115200, 9600), (9600, 921600)])
def test_another_speed_reads_garbage_whatever_the_pieces(sender: int, receiver: int) -> None:
    assert not same_speed(sender, receiver)
    whole = Garbler(sender, receiver, Random(1)).feed(TEXT, last=True)
    pieces = Garbler(sender, receiver, Random(1))
    assert b"".join(pieces.feed(bytes([byte]), last=False) for byte in TEXT) + pieces.feed(b"", last=True) == whole
    assert whole and b"ets" not in whole
    # As many bytes as fit into the time, or fewer where bits look like a longer start bit.
    assert len(whole) <= len(TEXT) * receiver / sender + 1


def test_a_slow_zero_is_a_break_to_a_fast_receiver() -> None:
    # 9 bits low at 9600 are 108 bit times at 115200: one byte without a stop bit, then nothing until the line is high.
    assert Garbler(9600, 115200, Random(1)).feed(b"\x00", last=True) == b"\x00"


def test_a_fast_byte_is_a_start_bit_and_ones_to_a_slow_receiver() -> None:
    # 0x00 at 9600 lasts less than the start bit at 300; the line is high when the data bits are sampled.
    assert Garbler(9600, 1200, Random(1)).feed(b"\x00", last=True) == b"\xff"


def test_speeds_within_three_percent_are_the_same() -> None:
    assert same_speed(115200, 115200) and same_speed(256000, 250000)
    assert not same_speed(115200, 111000) and not same_speed(74880, 115200)
