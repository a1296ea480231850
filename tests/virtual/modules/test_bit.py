"""Bit operations on 32-bit signed integers; values of tests/ground_truth/numbers and of the C source."""

from __future__ import annotations

import pytest

from tests.virtual.asked import answer, error


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_operations(lua: str) -> None:
    checks = {
        "bit.band(-1,0xffff)": "65535",
        "bit.lshift(0xff,24)": "-16777216",
        "bit.band(bit.lshift(0xff,24),0xffffffff)": "-16777216",
        "bit.bor(1,2,4,8)": "15",
        "bit.bxor(0xff,0x0f)": "240",
        "bit.bnot(0)": "-1",
        "bit.rshift(-1,28)": "15",
        "bit.arshift(-16,2)": "-4",
        "bit.bit(31)": "-2147483648",
        "bit.set(0,0,3)": "9",
        "bit.clear(15,0,3)": "6",
        "bit.isset(5,2)": "true",
        "bit.isclear(5,2)": "false",
    }
    assert answer("=" + ",".join(checks), lua).split("\t") == list(checks.values())


def test_wrong_arguments() -> None:
    assert error("bit.band()") == "bad argument #1 to 'band' (number expected, got no value)"
    assert error('bit.lshift(1,"x")') == "bad argument #2 to 'lshift' (number expected, got string)"
