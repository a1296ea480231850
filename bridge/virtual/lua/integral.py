"""The integer build of 5.1 (LUA_NUMBER_INTEGRAL in app/lua/luaconf.h): numbers are C ints, and the host's are doubles.

An operation stays where it is, so that metamethods, errors and names are the VM's own; behind it a call makes of its
operands what the chip makes of them: sums and products wrap, `/` rounds down and refuses zero, as `%` does, `^` knows
no negative exponents, and strings that are no ints are no numbers. A numeral with a point or an exponent does not
compile (`numerals`). A quotient that the compiler folds (`7 / 2 * 2`) is rounded at the end only.
"""

from __future__ import annotations

import math

from bridge.virtual.lua.chunk import Constant, Proto, walk
from bridge.virtual.lua.hidden import INTEGRAL, STALE, WRAP
from bridge.virtual.lua.rewrite import abc, abx, constant, insert
from bridge.virtual.lua.wrapping import unbind_wrapping_loops

_MOVE, _LOADK, _GETTABLE, _CALL, _FORLOOP, _FORPREP, _UNM = 0, 1, 6, 28, 31, 32, 18
_NUMBER = 3
#: Registers of one function at most (MAXSTACK).
_REGISTERS = 250
#: Instructions that do not save where they are (no `Protect` in app/lua/lvm.c): what these raise is given the place of
#: the last one that did.
_UNSAVED = {0, 1, 2, 3, 4, 12, 13, 14, 15, 16, 17, 18, 19, 22, 26, 27}


def rewrite(proto: Proto) -> None:
    """Make a function and all within compute with whole numbers, in place."""
    for function in walk(proto):
        function.constants = [_whole(value) for value in function.constants]
        if function.stack + 4 <= _REGISTERS:
            wrapping = unbind_wrapping_loops(function, _FORPREP, _number, Constant(_NUMBER, math.inf))
            if wrapping or any(word & 0x3F in INTEGRAL for word in function.code):
                _call_operations(function, wrapping)


def round_constants(proto: Proto) -> None:
    """Make nothing but the constants of a function and of all within whole, in place."""
    for function in walk(proto):
        function.constants = [_whole(value) for value in function.constants]


def _whole(value: Constant) -> Constant:
    number = value.value
    if value.tag != _NUMBER or not isinstance(number, float) or not math.isfinite(number):
        return value
    return Constant(_NUMBER, float((math.floor(number) + (1 << 31)) % (1 << 32) - (1 << 31)))


def _number(value: Constant) -> float | None:
    return value.value if isinstance(value.value, float) else None


def _call_operations(function: Proto, wrapping: dict[int, int]) -> None:
    base, stale = function.stack, _before_saving(function)
    named = {**INTEGRAL, **STALE}
    keys = {
        pc: named[op] if pc in stale and op in STALE else INTEGRAL[op]
        for pc, word in enumerate(function.code)
        if (op := word & 0x3F) in INTEGRAL
    }
    texts = [*dict.fromkeys(keys.values()), *([WRAP] if wrapping else [])]
    indexes = {text: constant(function, text) for text in texts}

    def called(pc: int, word: int) -> list[int] | None:
        loop = wrapping.get(pc)
        before = [] if loop is None else _wrap(base, indexes[WRAP], loop)
        if pc not in keys:
            return [*before, word] if before else None
        first, second, result = word >> 23 & 0x1FF, word >> 14 & 0x1FF, word >> 6 & 0xFF
        return [
            *before,
            abx(_LOADK, base, indexes[keys[pc]]),
            abc(_GETTABLE, base, base, base),
            _load(base + 2, first),
            _load(base + 3, first if word & 0x3F == _UNM else second),
            word,
            abc(_MOVE, base + 1, result, 0),
            abc(_CALL, base, 4, 2),
            abc(_MOVE, result, base, 0),
        ]

    insert(function, called)
    function.stack = base + 4
    if function.lines:
        loads = {abx(_LOADK, base, indexes[text]) for text in STALE.values() if text in indexes}
        for pc, word in enumerate(function.code):
            if word in loads:
                function.lines[pc + 6] = -1


def _wrap(base: int, key: int, loop: int) -> list[int]:
    return [
        abx(_LOADK, base, key),
        abc(_GETTABLE, base, base, base),
        abc(_MOVE, base + 1, loop, 0),
        abc(_CALL, base, 2, 2),
        abc(_MOVE, loop, base, 0),
        abc(_MOVE, loop + 3, base, 0),
    ]


def _before_saving(function: Proto) -> set[int]:
    """Instructions before which none saved where it is."""
    found = set()
    for pc, word in enumerate(function.code):
        found.add(pc)
        if word & 0x3F not in _UNSAVED:
            break
    return found


def _load(register: int, operand: int) -> int:
    return abx(_LOADK, register, operand - 0x100) if operand >= 0x100 else abc(_MOVE, register, operand, 0)
