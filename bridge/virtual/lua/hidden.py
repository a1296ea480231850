"""Calls of the board's own functions that rewriting puts into chunks, and how to tell them from the program.

Each begins with `key, key[key]`: a constant that no program can spell by accident, and the function that lies under it
in the string metatable's index table. The chip has neither the constants nor these instructions.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.virtual.lua.chunk import Proto, walk

#: Looks at the result of a `..` on 5.1.
CONCAT_CHECK = b"\0concat"
#: Integer build of 5.1: what an operation makes of its operands, by opcode; `STALE` when it comes before any
#: instruction that saves where it is.
INTEGRAL = {12: b"\0+", 13: b"\0-", 14: b"\0*", 15: b"\0/", 16: b"\0%", 17: b"\0^", 18: b"\0~"}
STALE = {15: b"\0stale/", 16: b"\0stale%"}
#: 5.3: a result cut to 32 bits; the same for `%` and for shifts; a `..` with floats among its operands, by their count.
NARROW, NARROW_MOD, NARROW_SHL, NARROW_SHR = b"\0narrow", b"\0narrow%", b"\0narrow<", b"\0narrow>"
MOST_TEXTS = 30
TEXTS = {count: b"\0texts%d" % count for count in range(2, MOST_TEXTS + 1)}
#: The control variable of a loop that passes the largest integer, on both builds.
WRAP = b"\0wrap"
#: What all keys begin with.
MARK = b"\0"

_LOADK = 1
#: By key: instructions of the call, and how many the chip has in their place.
_LENGTHS = {
    CONCAT_CHECK: (4, 0),
    **dict.fromkeys((*INTEGRAL.values(), *STALE.values()), (8, 1)),
    NARROW: (5, 0),
    NARROW_MOD: (7, 1),
    NARROW_SHL: (8, 1),
    NARROW_SHR: (8, 1),
    **{key: (9 + count, 1) for count, key in TEXTS.items()},
    WRAP: (6, 0),
}


def is_rewritten(proto: Proto) -> bool:
    """True if rewriting has put calls into a function or into one within."""
    return any(value.value in _LENGTHS for function in walk(proto) for value in function.constants[-len(_LENGTHS) :])


def keys_of(last: Sequence[bytes]) -> list[bytes]:
    """The keys at the end of a function's constants.

    Args:
        last: its last constants, as far as they are strings that begin with `MARK`.
    """
    keys: list[bytes] = []
    for value in reversed(last):
        if value not in _LENGTHS or value in keys:
            break
        keys.insert(0, value)
    return keys


def on_chip(code: Sequence[int], constants: int, keys: Sequence[bytes]) -> list[int]:
    """Which instructions of a function the chip has, as indexes of its code.

    Args:
        code: the instructions.
        constants: how many constants it has.
        keys: what `keys_of` found at their end.
    """
    starts = {_LOADK | (constants - len(keys) + at) << 14: _LENGTHS[key] for at, key in enumerate(keys)}
    found: list[int] = []
    pc = 0
    while pc < len(code):
        length, kept = starts.get(code[pc] & ~(0xFF << 6), (1, 1))
        found += range(pc, pc + kept)
        pc += length
    return found
