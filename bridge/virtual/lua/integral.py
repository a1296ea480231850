"""The integer build of 5.1 (LUA_NUMBER_INTEGRAL in app/lua/luaconf.h): numbers are C ints, and the host's are doubles.

What would give a fraction is made to give what the chip gives: `/` rounds down and refuses zero, `^` knows no negative
exponents, and a numeral with a point or an exponent does not compile. Sums and products beyond 32 bits do not wrap
here, `%` by zero is no error, and a quotient that the compiler folds (`7 / 2 * 2`) is rounded at the end only.
"""

from __future__ import annotations

import math
import re

from bridge.virtual.lua.chunk import Constant, Proto, walk
from bridge.virtual.lua.hidden import DIVIDE, POWER
from bridge.virtual.lua.rewrite import abc, abx, constant, insert

_MOVE, _LOADK, _GETTABLE, _CALL = 0, 1, 6, 28
_OPERATIONS = {15: DIVIDE, 17: POWER}
_NUMBER = 3
_INT_MAX = 2147483647.0
#: Registers of one function at most (MAXSTACK).
_REGISTERS = 250
_TOKEN = re.compile(
    rb"--\[(?P<a>=*)\[.*?\](?P=a)\]|--[^\n]*|\[(?P<b>=*)\[.*?\](?P=b)\]"
    rb"|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|[A-Za-z_]\w*|(?P<numeral>\.?\d[\d.]*(?:[Ee][+-]?)?\w*)|\.+|.",
    re.DOTALL,
)


def malformed(source: bytes) -> tuple[bytes, int] | None:
    """The first numeral that an int cannot be read from, and its line.

    Args:
        source: Lua that compiles with numbers of any kind.
    """
    for token in _TOKEN.finditer(source):
        numeral = token["numeral"]
        if numeral is not None and not re.fullmatch(rb"\d+|0[xX][0-9A-Fa-f]+", numeral):
            return numeral, source.count(b"\n", 0, token.start()) + 1
    return None


def rewrite(proto: Proto) -> None:
    """Make a function and all within compute with whole numbers, in place.

    An operation becomes a call of the string metatable's hidden function, in registers above all of the function's.
    """
    for function in walk(proto):
        function.constants = [_whole(value) for value in function.constants]
        if any(word & 0x3F in _OPERATIONS for word in function.code) and function.stack + 3 <= _REGISTERS:
            _call_operations(function)


def _whole(value: Constant) -> Constant:
    number = value.value
    if value.tag != _NUMBER or not isinstance(number, float) or not math.isfinite(number):
        return value
    if number >= 1 << 32:
        return Constant(_NUMBER, _INT_MAX)  # strtol; what is smaller is taken for a hexadecimal numeral, and wraps
    return Constant(_NUMBER, float((math.floor(number) + (1 << 31)) % (1 << 32) - (1 << 31)))


def _call_operations(function: Proto) -> None:
    used = {word & 0x3F for word in function.code}
    keys = {code: constant(function, key) for code, key in _OPERATIONS.items() if code in used}
    base = function.stack

    def called(word: int) -> list[int] | None:
        key = keys.get(word & 0x3F)
        if key is None:
            return None
        return [
            abx(_LOADK, base, key),
            abc(_GETTABLE, base, base, base),
            _load(base + 1, word >> 23 & 0x1FF),
            _load(base + 2, word >> 14 & 0x1FF),
            abc(_CALL, base, 3, 2),
            abc(_MOVE, word >> 6 & 0xFF, base, 0),
        ]

    insert(function, called)
    function.stack = base + 3


def _load(register: int, operand: int) -> int:
    return abx(_LOADK, register, operand - 0x100) if operand >= 0x100 else abc(_MOVE, register, operand, 0)
