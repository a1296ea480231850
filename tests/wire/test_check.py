import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.check import CheckKind, check, crc16, hash24, sum24

KINDS = list(CheckKind)


def test_crc16_is_the_one_that_ow_has() -> None:
    # Recorded from the firmware: tests/ground_truth/numbers, ow.json.
    assert crc16(b"123456789") == 0xBB3D
    assert crc16(b"123456789", 0xFFFF) == 0x4B37


@given(data=st.binary(max_size=600), seed=st.integers(0, 65535))
def test_crc16_is_the_one_computed_bit_by_bit(data: bytes, seed: int) -> None:
    register = seed
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ 0xA001 if register & 1 else register >> 1
    assert crc16(data, seed) == register


def test_hash24_is_the_polynomial() -> None:
    assert hash24(b"") == 0
    assert hash24(b"\x02\x03", 5) == ((5 * 127 + 2) * 127 + 3) % 16_777_213


def test_sum24_is_the_weighted_polynomial() -> None:
    assert sum24(b"") == 0
    assert sum24(b"\x02\x03", 5) == ((5 * 127 + 2 * 25717) * 127 + 3 * 60493) % 16_777_213


@pytest.mark.parametrize("kind", KINDS)
def test_two_or_three_flipped_bits_in_a_frame_or_its_check_do_not_pass(kind: CheckKind) -> None:
    """A line that flips bits flips several in many frames. Each pair is tried, and triples among neighbours."""
    data = bytes(range(60, 76))
    whole = data + check(kind, data, 7)

    def passes(*bits: int) -> bool:
        damaged = int.from_bytes(whole, "big")
        for bit in bits:
            damaged ^= 1 << bit
        segment = damaged.to_bytes(len(whole), "big")
        return check(kind, segment[:-3], 7) == segment[-3:]

    size = 8 * len(whole)
    assert passes() and not any(passes(one, other) for one in range(size) for other in range(one))
    assert not any(
        passes(*bits) for first in range(size) for bits in combinations(range(first, min(first + 20, size)), 3)
    )


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.binary(max_size=242), one=st.integers(0, 65535), other=st.integers(0, 65535))
def test_another_seed_gives_another_check(kind: CheckKind, data: bytes, one: int, other: int) -> None:
    assert (check(kind, data, one) == check(kind, data, other)) == (one == other)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.binary(min_size=1, max_size=242), seed=st.integers(0, 65535), choose=st.data())
def test_one_changed_byte_changes_the_check(kind: CheckKind, data: bytes, seed: int, choose: st.DataObject) -> None:
    at = choose.draw(st.integers(0, len(data) - 1))
    byte = choose.draw(st.integers(0, 255).filter(lambda value: value != data[at]))
    changed = data[:at] + bytes((byte,)) + data[at + 1 :]
    assert check(kind, changed, seed) != check(kind, data, seed)


@pytest.mark.parametrize("kind", KINDS)
def test_random_damage_does_not_pass(kind: CheckKind) -> None:
    rng = random.Random(1)
    data = rng.randbytes(40)
    right = check(kind, data, 7)
    passed = 0
    for _ in range(5_000):
        damaged = bytearray(data)
        for _ in range(3):
            damaged[rng.randrange(40)] ^= rng.randrange(1, 256)
        passed += bytes(damaged) != data and check(kind, bytes(damaged), 7) == right
    assert passed == 0


def test_the_reversed_crc_sees_what_the_plain_one_does_not() -> None:
    # The generator polynomial itself, shifted to byte borders, is invisible to a CRC-16 with any seed.
    # A message followed by its own CRC, low byte first, has the CRC zero: so have all these patterns.
    rng = random.Random(3)
    data = bytes(20)
    for _ in range(300):
        start = rng.randbytes(2)
        pattern = start + crc16(start).to_bytes(2, "little")
        changed = data[:8] + pattern + data[12:]
        assert crc16(changed, 9) == crc16(data, 9)
        assert check(CheckKind.CRC, data, 9) != check(CheckKind.CRC, changed, 9)
