"""Lua 5.3 as the chip's build has it: integers and floats of 32 bits. The host's have 64.

Values are kept as the host's own, always in the chip's range and precision. An operation that may leave them stays
where it is, so that metamethods, errors and names are the VM's own; behind it a call narrows the result. In front of
`..` a call joins operands among which are floats, as the chip writes those. Numerals are narrowed in the source
(`numerals`), constants that the host has folded here. Of loops only those to a constant at the end of the integers wrap
around; a loop over floats counts in the host's precision.
"""

from __future__ import annotations

import struct

from bridge.virtual.lua.chunk import Constant, Proto, walk
from bridge.virtual.lua.hidden import NARROW, NARROW_MOD, NARROW_SHL, NARROW_SHR, TEXTS, WRAP
from bridge.virtual.lua.rewrite import abc, abx, constant, insert
from bridge.virtual.lua.wrapping import unbind_wrapping_loops

_MOVE, _LOADK, _GETTABLE, _CONCAT, _JMP, _TEST, _CALL, _FORPREP = 0, 1, 7, 29, 30, 34, 36, 40
#: A jump to the next instruction.
_HERE = 131071
#: ADD, SUB, MUL, POW, DIV, IDIV, UNM.
_RESULTS = {13, 14, 15, 17, 18, 19, 25}
#: MOD, SHL, SHR: which of the operands the call is given, too.
_WITH_OPERANDS = {16: (NARROW_MOD, False), 23: (NARROW_SHL, True), 24: (NARROW_SHR, True)}
_FLOAT, _INTEGER = 0x03, 0x13
_HOST_INT_MAX = (1 << 63) - 1
#: Registers of one function at most (MAXREGS).
_REGISTERS = 250


def rewrite(proto: Proto) -> None:
    """Make a function and all within compute with 32 bits, in place."""
    for function in walk(proto):
        function.constants = [_narrow(value) for value in function.constants]
        room = 4 + max((len(_operands(word)) for word in function.code if word & 0x3F == _CONCAT), default=0)
        if function.stack + room <= _REGISTERS:
            endless = Constant(_INTEGER, _HOST_INT_MAX)
            _insert_calls(function, unbind_wrapping_loops(function, _FORPREP, _whole, endless))
            function.stack += room


def narrow_constants(proto: Proto) -> None:
    """Narrow nothing but the constants of a function and of all within, in place."""
    for function in walk(proto):
        function.constants = [_narrow(value) for value in function.constants]


def to_float(value: float) -> float:
    """The nearest float of 32 bits."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _narrow(value: Constant) -> Constant:
    if value.tag == _INTEGER and isinstance(value.value, int):
        return Constant(_INTEGER, (value.value + (1 << 31)) % (1 << 32) - (1 << 31))
    if value.tag == _FLOAT and isinstance(value.value, float):
        return Constant(_FLOAT, to_float(value.value))
    return value


def _whole(value: Constant) -> int | None:
    return value.value if value.tag == _INTEGER and isinstance(value.value, int) else None


def _insert_calls(function: Proto, wrapping: dict[int, int]) -> None:
    base = function.stack
    texts = dict.fromkeys(text for word in function.code for text in _keys_for(word))
    if wrapping:
        texts[WRAP] = None
    if not texts:
        return
    keys = {text: constant(function, text) for text in texts}

    def called(pc: int, word: int) -> list[int] | None:
        loop = wrapping.get(pc)
        before = [] if loop is None else [*_call(base, keys[WRAP], loop), abc(_MOVE, loop + 3, base, 0)]
        now = _calls(word, base, keys)
        return [*before, *(now or [word])] if before or now else None

    insert(function, called, "5.3")


def _keys_for(word: int) -> list[bytes]:
    op = word & 0x3F
    if op in _RESULTS:
        return [NARROW]
    if op in _WITH_OPERANDS:
        return [_WITH_OPERANDS[op][0]]
    return [TEXTS[count]] if op == _CONCAT and (count := len(_operands(word))) in TEXTS else []


def _operands(word: int) -> range:
    """The registers of a CONCAT."""
    return range(word >> 23 & 0x1FF, (word >> 14 & 0x1FF) + 1)


def _calls(word: int, base: int, keys: dict[bytes, int]) -> list[int] | None:
    op, result = word & 0x3F, word >> 6 & 0xFF
    if op in _RESULTS:
        return [word, *_call(base, keys[NARROW], result)]
    if op in _WITH_OPERANDS:
        text, both = _WITH_OPERANDS[op]
        operands = (word >> 23 & 0x1FF, word >> 14 & 0x1FF) if both else (word >> 14 & 0x1FF,)
        return [
            abx(_LOADK, base, keys[text]),
            abc(_GETTABLE, base, base, base),
            *(_load(base + 2 + at, operand) for at, operand in enumerate(operands)),
            word,
            abc(_MOVE, base + 1, result, 0),
            abc(_CALL, base, 2 + len(operands), 2),
            abc(_MOVE, result, base, 0),
        ]
    if op == _CONCAT and (count := len(_operands(word))) in TEXTS:
        return _joined(base, word, keys[TEXTS[count]])
    return None


def _call(base: int, key: int, register: int) -> list[int]:
    return [
        abx(_LOADK, base, key),
        abc(_GETTABLE, base, base, base),
        abc(_MOVE, base + 1, register, 0),
        abc(_CALL, base, 2, 2),
        abc(_MOVE, register, base, 0),
    ]


def _joined(base: int, word: int, key: int) -> list[int]:
    """A CONCAT, passed over if the call gives its result. Nothing before it writes registers that errors name."""
    registers = _operands(word)
    return [
        abx(_LOADK, base, key),
        abc(_GETTABLE, base, base, base),
        *(abc(_MOVE, base + 1 + at, register, 0) for at, register in enumerate(registers)),
        abc(_CALL, base, len(registers) + 1, 2),
        abc(_TEST, base, 0, 0),
        abx(_JMP, 0, _HERE + 1),
        abx(_JMP, 0, _HERE + 2),
        word,
        abx(_JMP, 0, _HERE + 1),
        abc(_MOVE, word >> 6 & 0xFF, base, 0),
    ]


def _load(register: int, operand: int) -> int:
    return abx(_LOADK, register, operand - 0x100) if operand >= 0x100 else abc(_MOVE, register, operand, 0)
