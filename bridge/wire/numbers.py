"""What numbers each build of NodeMCU has, and which numbers of Python it holds exactly.

Sources: app/lua/luaconf.h (double, or with LUA_NUMBER_INTEGRAL int), app/lua53/luaconf.h (int and float, or with
LUA_NUMBER_64BITS long long and double).
"""

from __future__ import annotations

import math
import struct
from enum import Enum

from bridge.errors import ValueRefused


class Numbers(Enum):
    """The numbers of a build of the firmware."""

    DOUBLE = "doubles"
    """Lua 5.1 with decimals: one kind of number, a double. Whole numbers are exact up to 2^53."""
    INTEGER = "integers of 32 bits"
    """Lua 5.1 without decimals."""
    SINGLE = "integers of 32 bits and floats of 32 bits"
    """Lua 5.3 as it is built by default."""
    WIDE = "integers of 64 bits and doubles"
    """Lua 5.3 built with LUA_NUMBER_64BITS."""

    def outward(self, value: int | float) -> int | float:
        """A number as this build is to read it.

        Raises:
            ValueRefused: this build cannot hold it exactly; the message says what it can.
        """
        if isinstance(value, int):
            most = _MOST_WHOLE[self]
            # The most negative number of a double has the same size as the largest; those of integers have one more.
            if not -most - (self is not Numbers.DOUBLE) <= value <= most:
                what = f"A whole number of {value.bit_length()} bits is too large for this board"
                raise ValueRefused(f"{what}, whose Lua has {self.value}", remedy=_REMEDY[self])
        elif self is Numbers.INTEGER:
            if not value.is_integer() or value == 0 and math.copysign(1, value) < 0:
                raise ValueRefused(
                    f"{value!r} has no exact form on this board, whose Lua has {self.value}", remedy=_REMEDY[self]
                )
            return self.outward(int(value))
        elif self is Numbers.SINGLE and not math.isnan(value) and float32(value) != value:
            raise ValueRefused(
                f"{value!r} has no exact form on this board, whose Lua has {self.value}",
                remedy="Round it with bridge.float32 first.",
            )
        return value

    def inward(self, value: float) -> float:
        """A float from this build, which prints it with fewer digits than a double has."""
        return float32(value) if self is Numbers.SINGLE else value


_MOST_WHOLE = {
    Numbers.DOUBLE: 2**53,
    Numbers.INTEGER: 2**31 - 1,
    Numbers.SINGLE: 2**31 - 1,
    Numbers.WIDE: 2**63 - 1,
}
_REMEDY = {
    Numbers.DOUBLE: "Pass it as a float or as a string.",
    Numbers.INTEGER: "Pass a whole number of 32 bits or a string.",
    Numbers.SINGLE: "Pass it as a float or as a string.",
    Numbers.WIDE: "Pass it as a float or as a string.",
}


def float32(value: float) -> float:
    """The float of 32 bits that is nearest to a number: what Lua 5.3 on a board makes of it. Too large is infinity."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def numbers_of(lua: str, number: str, bits: int = 32) -> Numbers:
    """The numbers of a build.

    Args:
        lua: "5.1" or "5.3".
        number: "float" or "integer".
        bits: of whole numbers on 5.3.
    """
    if lua == "5.1":
        return Numbers.INTEGER if number == "integer" else Numbers.DOUBLE
    return Numbers.WIDE if bits == 64 else Numbers.SINGLE


def number_text(value: int | float) -> bytes:
    """A number as any board reads it exactly, whatever its C library.

    Decimal text where that is certain: the firmware's `strtod` (app/libc/stdlib.c) is exact up to 15 digits and powers
    of ten up to 22, and reads no more than 18 digits, of which zeros in front are some. Else a whole number, a point,
    "p", and the power of two it is to be multiplied by.
    """
    if isinstance(value, int):
        return b"%d" % value
    if math.isnan(value):
        return b"nan"
    if math.isinf(value):
        return b"1.p1024" if value > 0 else b"-1.p1024"
    text = repr(value)
    digits, _, power = text.lower().partition("e")
    whole, _, fraction = digits.lstrip("-").partition(".")
    exponent = int(power or 0) - len(fraction)
    read = whole + fraction
    if len(read) <= _READ_DIGITS and len(read.lstrip("0")) <= _EXACT_DIGITS and abs(exponent) <= _EXACT_POWER:
        return text.encode()
    top, bottom = value.as_integer_ratio()
    power_of_two = 1 - bottom.bit_length()
    while top % 2 == 0:
        top, power_of_two = top // 2, power_of_two + 1
    return b"%d.p%d" % (top, power_of_two)


#: Decimal digits that a double holds, and powers of ten that it holds exactly.
_EXACT_DIGITS, _EXACT_POWER = 15, 22
#: Digits that the firmware reads of a number; what comes behind them is lost.
_READ_DIGITS = 18


def number_of(text: bytes) -> int | float:
    """The number in some text; the inverse of `number_text`, and of what a board prints.

    Raises:
        ValueError: it is none.
    """
    whole, p, power = text.partition(b"p")
    if p:
        # A point after the whole number says that this is a float also where whole numbers are another kind.
        value = math.ldexp(int(whole.rstrip(b".")), int(power)) if int(power) < _TOO_LARGE else _infinity(whole)
        return int(value) if value.is_integer() and abs(value) <= 2**53 and not whole.endswith(b".") else value
    lowered = text.decode("ascii").strip().lower()
    if lowered.lstrip("+-").isdigit():
        return -0.0 if lowered == "-0" else int(lowered)
    if "nan" in lowered:  # printed with either sign, by C library
        return math.nan
    return float(lowered)


_TOO_LARGE = 1024


def _infinity(whole: bytes) -> float:
    if whole.strip(b"-.") != b"1":
        raise ValueError
    return -math.inf if whole.startswith(b"-") else math.inf
