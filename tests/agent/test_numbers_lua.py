"""Numbers through the agent's real Lua, with the firmware's own reading and printing instead of a desktop's."""

from __future__ import annotations

import math
import struct
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.agent_source import room
from bridge.wire.messages import Call, Reply, Source
from bridge.wire.numbers import Numbers
from tests.agent.chip_numbers import chip_format, chip_strtod
from tests.agent.fake_board import BoardAndSession

DIGITS = {"5.1": 14, "5.3": 7}


def chip(version: str) -> BoardAndSession:
    """The agent with rooms for values, on a board whose `tostring`, `tonumber` and `format` are the firmware's."""
    both = BoardAndSession(version)
    runtime: Any = both.board.lua

    def printed(value: float) -> bytes:
        text = chip_format(value, DIGITS[version], "g")
        return text + b".0" if version == "5.3" and text.strip(b"-0123456789") == b"" and text else text

    def read(text: bytes) -> float | None:
        try:
            return chip_strtod(text)
        except ValueError:
            return None

    runtime.execute(
        b"""function chip(printed, read, rounded)
        local tostring_, tonumber_, math_type = tostring, tonumber, math.type
        local function plain(v) return type(v) ~= "number" or math_type and math_type(v) == "integer" end
        function tostring(v) if plain(v) then return tostring_(v) end return printed(v) end
        function tonumber(s) if type(s) ~= "string" or math_type and s:find("^-?%d+$") then return tonumber_(s) end
          local v = read(s) if v then return v * 1.0 end end
        local format = string.format
        function string.format(f, v) if f == "%.0f" then return rounded(v) end return format(f, v) end
        end"""
    )
    runtime.globals()[b"chip"](printed, read, lambda value: chip_format(value, 0, "f"))
    assert both.run_until(lambda: both.got, 5.0)
    both.got.clear()
    for name in ("objects", "numbers", "values"):
        for piece in room(name):
            both.send(Source(piece))
            both.send(Call(253, 200))
    both.send(Source(b"return function(...) KEPT = ... return ... end"))
    both.send(Call(70, 1, (1,)))
    assert both.run_until(lambda: Reply(1, (1,)) in both.got, 5.0)
    return both


def same(one: float, other: float) -> bool:
    return one == other and math.copysign(1, one) == math.copysign(1, other) or one != one and other != other


@pytest.mark.parametrize("version", ["5.1", "5.3"])
def test_each_number_arrives_exactly_both_ways(version: str) -> None:
    both = chip(version)
    numbers = Numbers.DOUBLE if version == "5.1" else Numbers.SINGLE
    width = 64 if version == "5.1" else 32

    @settings(max_examples=150)
    @given(
        st.floats(width=width) | st.integers(-(2**31), 2**31 - 1) | st.sampled_from([2.0**k for k in range(-149, 127)])
    )
    @example(value=0.000699999975040555)  # 15 digits behind four zeros, of which strtod reads 18
    def check(value: float) -> None:
        both.got.clear()
        both.send(Call(70, 9, (numbers.outward(value),)))
        assert both.run_until(lambda: both.got, 5.0)
        (got,) = both.got[0].values
        kept = float(both.board.lua.globals()[b"KEPT"])
        assert struct.pack("<d", kept) == struct.pack("<d", value) or value != value or value == 0
        if value == 0 and isinstance(value, float):
            assert both.board.lua.eval(b"1 / KEPT < 0") == (math.copysign(1, value) < 0)
        # The firmware prints no minus before zero: the sign of -0.0 goes one way only.
        assert same(got if version == "5.1" or isinstance(got, int) else numbers.inward(got), value or abs(value))
        if version == "5.3":
            assert type(got) is type(value)

    check()


def test_the_port_of_the_firmwares_c_prints_as_the_recordings_do() -> None:
    for value, text in (
        (0.1, b"0.1"),
        (7 / 2, b"3.5"),
        (1 / 3, b"0.33333333333333"),
        (1e10, b"10000000000"),
        (1e15, b"1e+15"),
    ):
        assert chip_format(value, 14, "g") == text
    assert chip_format(1e300, 14, "g") == b"" and chip_format(-0.0, 14, "g") == b"0"
    assert chip_strtod(b"1e22") == 1e22 and chip_strtod(b"-4503599627370497.") == -4503599627370497.0
    with pytest.raises(ValueError):
        chip_strtod(b"inf")
    values = [Random(seed).random() for seed in range(100)]
    assert any(chip_strtod(repr(value).encode()) != value for value in values), (
        "seventeen digits are not always read exactly"
    )
