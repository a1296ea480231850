"""The board and this computer make the same of the same bytes; the board's Lua runs on the virtual board's VM."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import LinkError
from bridge.files.digest import digest, source, steps
from bridge.wire.check import crc16

KINDS = ("sha256", "crc16", "sum")


@pytest.mark.parametrize("kind", KINDS)
@given(st.binary(max_size=3000), st.data())
def test_another_file_has_another_digest(kind: str, data: bytes, draw: st.DataObject) -> None:
    other = draw.draw(st.binary(min_size=len(data), max_size=len(data)))
    assert (digest(kind, data) == digest(kind, other)) is (data == other)


@pytest.mark.parametrize("kind", KINDS)
def test_small_changes_are_seen(kind: str) -> None:
    """What sums of bytes do not see: bytes that change places, and changes that make up for each other."""
    data = bytearray(random.Random(1).randbytes(2500))
    before = digest(kind, bytes(data))
    for at in range(0, 2490, 7):
        for changes in ({0: 1}, {0: 1, 1: -1}, {0: 1, 1: -1, 2: -1, 3: 1}, {0: 1, 2: -253}, {0: -1, 1: 127}):
            changed = bytearray(data)
            for place, change in changes.items():
                changed[at + place] = (changed[at + place] + change) % 256
            assert digest(kind, bytes(changed)) != before


def test_known_values() -> None:
    assert digest("crc16", b"123456789") == b"bb3d%04x" % crc16(b"987654321")
    assert digest("sum", b"") == b"000001000001" and digest("sum", b"A") == digest("sum", b"A\0")
    assert digest("sum", b"ab") == b"%06x%06x" % (253 + 0x6162, 239 + 0x6162)
    assert digest("sha256", b"abc").hex().startswith("ba7816bf")


@pytest.mark.parametrize(("size", "count"), [(0, 1), (1, 1), (3072, 1), (3073, 2), (4096, 2), (100_000, 25)])
def test_steps(size: int, count: int) -> None:
    assert steps(size) == count


def test_a_kind_that_is_unknown() -> None:
    for work in (lambda: digest("md5", b""), lambda: source("md5")):
        with pytest.raises(LinkError, match="unknown kind 'md5'"):
            work()
