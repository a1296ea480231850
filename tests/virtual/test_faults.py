"""The faults of one direction of a line."""

from __future__ import annotations

from random import Random

import pytest

from bridge.virtual.faults import STALL_S, Faults
from bridge.virtual.options import VirtualOptions

DATA = bytes(200) * 500


def test_a_clean_line_changes_nothing() -> None:
    faults = Faults(VirtualOptions(), Random(1))
    assert not faults.active
    assert faults.damage(DATA).data == DATA


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1])
def test_as_many_bytes_are_damaged_as_asked_for(share: float) -> None:
    expected = share * len(DATA)
    band = 5 * (expected**0.5)  # five standard deviations
    dropped = len(DATA) - len(Faults(VirtualOptions(drop=share), Random(2)).damage(DATA).data)
    assert abs(dropped - expected) < band
    flipped = Faults(VirtualOptions(flip=share), Random(2)).damage(DATA).data
    assert len(flipped) == len(DATA)
    wrong = [byte for byte in flipped if byte]
    assert abs(len(wrong) - expected) < band
    assert {byte.bit_count() for byte in wrong} == {1}
    assert len(set(wrong)) == 8 or share < 0.01
    doubled = len(Faults(VirtualOptions(duplicate=share), Random(2)).damage(DATA).data) - len(DATA)
    assert abs(doubled - expected) < band


def test_a_stall_lasts_as_long_as_a_driver_may_stall() -> None:
    faults = Faults(VirtualOptions(delay=0.001), Random(3))
    stalls = [damaged.stall for _ in range(5000) if (damaged := faults.damage(b"x")).stall]
    assert stalls and STALL_S[0] <= min(stalls) and max(stalls) <= STALL_S[1]
    assert faults.counts["delay"] == len(stalls)


def test_a_byte_is_not_lost_and_flipped_at_once() -> None:
    faults = Faults(VirtualOptions(drop=0.5, flip=0.5, duplicate=0.5, delay=0.5), Random(4))
    data = bytes(range(256)) * 8
    assert 0 < len(faults.damage(data).data) < 2 * len(data)
    assert faults.damage(b"").data == b""


def test_the_seed_decides_and_not_the_pieces() -> None:
    options = VirtualOptions(drop=0.01, flip=0.02, duplicate=0.01, delay=0.01)
    data = bytes(range(250)) * 40

    def through(piece: int, seed: int) -> tuple[bytes, float]:
        faults = Faults(options, Random(seed))
        done = [faults.damage(data[at : at + piece]) for at in range(0, len(data), piece)]
        return b"".join(part.data for part in done), sum(part.stall for part in done)

    whole, stall = through(len(data), 5)
    assert through(7, 5)[0] == whole and through(7, 5)[1] == pytest.approx(stall)
    assert through(len(data), 6)[0] != whole
