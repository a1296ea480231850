"""Numerals in source text mean what the chip's compiler takes them for."""

from __future__ import annotations

import pytest

from bridge.virtual.lua.numerals import Malformed, malformed, of_5_3, of_ints


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("x = 1", None),
        ("x = 0x1F + 10 -- 0.5", None),
        ("x = '0.5' .. \"1e3\" .. [[\n0.5]] --[==[ 0.5 ]==]", None),
        ("a1 = b.c2 .. '\\'0.5'", None),
        ("x = {1,2}\ny = 0.5", Malformed(b"0.5", 14, 2)),
        ("x = .5", Malformed(b".5", 4, 1)),
        ("x = 1e3", Malformed(b"1e3", 4, 1)),
        ("x = 1 ..2. .. ''", Malformed(b"2.", 8, 1)),
        ("x = 0xA.8", Malformed(b".8", 7, 1)),
    ],
)
def test_numerals_that_no_int_can_be_read_from(source: str, found: Malformed | None) -> None:
    assert malformed(source.encode()) == found


@pytest.mark.parametrize(
    ("source", "ints", "on_5_3"),
    [
        (b"x = 2147483647 + 0x7fffffff", None, None),
        (b"x = 2147483648", b"x = 2147483647", b"x = 2147483648.0"),
        (b"x = 0xffffffff", b"x = (-1)", b"x = (-1)"),
        (b"x = 0x123456789", b"x = (-1)", b"x = 591751049"),
        (b"x = '0xffffffff' -- 4294967296", None, None),
        (b"x = 1.5 .. 0x8p0", None, None),
        (b"x = a.b4294967296[4294967296]", b"x = a.b4294967296[2147483647]", b"x = a.b4294967296[4294967296.0]"),
    ],
)
def test_numerals_beyond_32_bits(source: bytes, ints: bytes | None, on_5_3: bytes | None) -> None:
    assert of_ints(source) == (ints or source)
    assert of_5_3(source) == (on_5_3 or source)
