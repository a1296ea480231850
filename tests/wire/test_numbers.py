from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import LocalProtocolError, ValueRefused
from bridge.wire.numbers import Numbers, float32, number_of, number_text, numbers_of
from tests.agent.chip_numbers import chip_strtod

#: The most and the least whole number of each build, by its headers (app/lua/luaconf.h, app/lua53/luaconf.h).
WHOLE = {
    Numbers.DOUBLE: (-(2**53), 2**53),
    Numbers.INTEGER: (-(2**31), 2**31 - 1),
    Numbers.SINGLE: (-(2**31), 2**31 - 1),
    Numbers.WIDE: (-(2**63), 2**63 - 1),
}


@pytest.mark.parametrize("numbers", Numbers)
def test_whole_numbers_of_each_build(numbers: Numbers) -> None:
    least, most = WHOLE[numbers]
    for value in (least, -1, 0, 1, most):
        assert numbers.outward(value) == value
    for value in (least - 1, most + 1, 1 << 300_000):
        with pytest.raises(ValueRefused, match="too large for this board") as caught:
            numbers.outward(value)
        assert caught.value.remedy and len(str(caught.value)) < 200


def test_fractions_of_each_build() -> None:
    for value in (0.1, 1e300, 5e-324, math.inf, -math.inf, -0.0, 16777217.0):
        for numbers in (Numbers.DOUBLE, Numbers.WIDE):
            assert repr(numbers.outward(value)) == repr(value)
    assert math.isnan(Numbers.DOUBLE.outward(math.nan)) and math.isnan(Numbers.SINGLE.outward(math.nan))
    for value in (0.1, 1e300, 5e-324, 16777217.0, math.nextafter(1.0, 2)):
        with pytest.raises(ValueRefused, match="no exact form") as caught:
            Numbers.SINGLE.outward(value)
        assert "bridge.float32" in str(caught.value)
        assert Numbers.SINGLE.outward(float32(value)) == float32(value)
    for value in (1.5, math.nan, math.inf, -0.0):
        with pytest.raises(ValueRefused, match="no exact form"):
            Numbers.INTEGER.outward(value)
    assert type(Numbers.INTEGER.outward(3.0)) is int
    with pytest.raises(ValueRefused, match="too large"):
        Numbers.INTEGER.outward(2.0**31)


def test_the_error_is_what_people_catch() -> None:
    with pytest.raises(ValueError):
        Numbers.INTEGER.outward(0.5)
    assert issubclass(ValueRefused, LocalProtocolError) and ValueRefused("x").exit_code == 2


@given(st.floats(width=32))
def test_floats_of_32_bits_are_found(value: float) -> None:
    assert repr(float32(value)) == repr(value) == repr(Numbers.SINGLE.outward(value))
    if math.isfinite(value):
        # As the board prints it when that is exact there.
        assert Numbers.SINGLE.inward(float(f"{value:.9g}")) == value


def test_builds_by_what_the_probe_learns() -> None:
    assert numbers_of("5.1", "float") is Numbers.DOUBLE
    assert numbers_of("5.1", "integer") is Numbers.INTEGER
    assert numbers_of("5.3", "float") is numbers_of("5.3", "integer") is Numbers.SINGLE
    assert numbers_of("5.3", "float", 64) is Numbers.WIDE


@given(st.floats(allow_nan=False) | st.integers(-(2**53), 2**53))
def test_the_text_of_a_number_is_read_exactly_by_the_firmwares_own_c(value: float) -> None:
    text = number_text(value)
    assert number_of(text) == value and type(number_of(text)) is type(value)
    whole, _, power = text.partition(b"p")
    read = chip_strtod(whole)
    for _ in range(abs(int(power or 0))):  # as firmware/agent/room_numbers.lua does it
        read = read * 2 if int(power) > 0 else read / 2
    assert struct.pack("<d", read) == struct.pack("<d", value)


def test_some_texts() -> None:
    assert number_text(0.5) == b"0.5" and number_text(1e22) == b"1e+22" and number_text(-7) == b"-7"
    assert number_text(0.1 + 0.2) == b"1351079888211149.p-52" and number_text(-0.0) == b"-0.0"
    assert number_text(math.nan) == b"nan" and number_text(-math.inf) == b"-1.p1024"


@pytest.mark.parametrize("text", [b"", b"x", b"p", b"1p", b"p1", b"3p1024", b"1p99999999", b"1e5p3", b"\xff"])
def test_what_is_no_number_is_refused(text: bytes) -> None:
    with pytest.raises((ValueError, OverflowError)):
        assert number_of(text) == math.inf
        if text != b"1p99999999":
            pytest.fail("read")
        raise ValueError
