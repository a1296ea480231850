"""Loops up to a constant that the step passes: the chip's control variable wraps, and they never end.

The host's numbers are wider, so that here such a loop would end; its limit is taken away.
"""

from __future__ import annotations

from collections.abc import Callable

from bridge.virtual.lua.chunk import Constant, Proto
from bridge.virtual.lua.rewrite import abx

_LOADK = 1
_INT_MAX = 2147483647


def unbind_wrapping_loops(
    function: Proto, forprep: int, read: Callable[[Constant], int | float | None], endless: Constant
) -> dict[int, int]:
    """Take the limit of such loops away; only constant limits and steps are known.

    Args:
        function: changed in place.
        forprep: the version's number of `OP_FORPREP` (lopcodes.h).
        read: the number that a constant is, or None.
        endless: the limit that they get.

    Returns:
        First instruction of the body → register of the loop.
    """
    found = {}
    for pc, word in enumerate(function.code):
        if word & 0x3F != forprep:
            continue
        base = word >> 6 & 0xFF
        limit, step = (_constant_in(function, pc, base + at, read) for at in (1, 2))
        if limit is not None and step is not None and step > 0 and limit + step > _INT_MAX:
            function.constants.append(endless)
            function.code[pc - 2] = abx(_LOADK, base + 1, len(function.constants) - 1)
            found[pc + 1] = base
    return found


def _constant_in(
    function: Proto, pc: int, register: int, read: Callable[[Constant], int | float | None]
) -> int | float | None:
    """The number that one of the two instructions before loads into a register."""
    for word in function.code[max(0, pc - 2) : pc]:
        if word & 0x3F == _LOADK and word >> 6 & 0xFF == register:
            return read(function.constants[word >> 14])
    return None
