"""The `bit` module (app/modules/bit.c): bitwise operations on 32-bit signed integers, on every Lua build."""

from __future__ import annotations

from functools import reduce
from operator import and_, or_, xor

from bridge.virtual.lua.api import Args, Builtin, Module, to_int32
from bridge.virtual.sdk.kernel import Kernel


def build(kernel: Kernel) -> Module:
    """The module as Lua sees it."""
    return Module(
        "bit",
        {
            "bnot": lambda args: ~args.check_integer(1),
            "band": _fold(and_),
            "bor": _fold(or_),
            "bxor": _fold(xor),
            "lshift": lambda args: to_int32(args.check_integer(1) << _shift(args, 2)),
            "rshift": lambda args: to_int32((args.check_integer(1) & 0xFFFFFFFF) >> _shift(args, 2)),
            "arshift": lambda args: args.check_integer(1) >> _shift(args, 2),
            "bit": lambda args: to_int32(1 << _shift(args, 1)),
            "set": _set,
            "clear": _clear,
            "isset": lambda args: bool(args.check_integer(1) & _bit(args, 2)),
            "isclear": lambda args: not args.check_integer(1) & _bit(args, 2),
        },
    )


def _shift(args: Args, number: int) -> int:
    """A shift count. Beyond 31 C leaves it open; the chip's shift amount register takes the low five bits."""
    return args.check_integer(number) & 31


def _bit(args: Args, number: int) -> int:
    return 1 << _shift(args, number)


def _fold(operation: object) -> Builtin:
    assert callable(operation)

    def fold(args: Args) -> int:
        first = args.check_integer(1)
        rest = (args.check_integer(number) for number in range(2, len(args) + 1))
        return int(reduce(operation, rest, first))

    return fold


def _set(args: Args) -> int:
    value = args.check_integer(1)
    for number in range(2, len(args) + 1):
        value |= _bit(args, number)
    return to_int32(value)


def _clear(args: Args) -> int:
    value = args.check_integer(1)
    for number in range(2, len(args) + 1):
        value &= ~_bit(args, number)
    return to_int32(value)
