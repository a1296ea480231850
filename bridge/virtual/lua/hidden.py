"""Calls of the board's own functions that rewriting puts into chunks of 5.1, and how to tell them from the program.

Each begins with `key, key[key]`: a constant that no program can spell by accident, and the function that lies under it
in the string metatable's index table. The chip has neither the constants nor these instructions.
"""

from __future__ import annotations

from collections.abc import Sequence

#: Looks at the result of a `..`; stand for `/` and `^` of the integer build.
CONCAT_CHECK, DIVIDE, POWER = b"\0concat", b"\0divide", b"\0power"
#: What all keys begin with.
MARK = b"\0"

_LOADK = 1
#: By key: instructions of the call, and how many the chip has in their place.
_LENGTHS = {CONCAT_CHECK: (4, 0), DIVIDE: (6, 1), POWER: (6, 1)}


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
