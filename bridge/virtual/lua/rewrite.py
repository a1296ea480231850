"""Make a freshly compiled chunk behave as one compiled on the chip.

Four things differ between the host's compiler and the chip's:

- debug information: the chip drops the names of locals and upvalues (LUAI_OPTIMIZE_DEBUG, `node.stripdebug`), so
  its error texts have no variable names;
- limits: 50 local variables per function on 5.1 (LUAI_MAXVARS in app/lua/luaconf.h);
- calls: a function of the firmware is a C function there, and a tail call of a C function leaves the caller's frame
  in place. Here it is a small Lua function, so its tail calls become plain calls;
- strings: in collector mode ALWAYS with a limit, 5.1 refuses results of `..` that reach it (app/lua/lvm.c
  `luaV_concat`), so every CONCAT is followed by a call of the string metatable's hidden check.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import IntEnum

from bridge.virtual.lua.chunk import Constant, Proto, walk
from bridge.virtual.lua.hidden import CONCAT_CHECK

#: LUAI_MAXVARS of the 5.1 build.
MAX_LOCALS_51 = 50

_MAX_SBX = 131071
_STRING = 4


class Strip(IntEnum):
    """Levels of `node.stripdebug` (docs/modules/node.md)."""

    NOTHING = 1
    NAMES = 2
    NAMES_AND_LINES = 3


class TooManyLocals(ValueError):
    """A function has more local variables than the chip's compiler allows; carries the compiler's own text."""


class _Op51(IntEnum):
    MOVE = 0
    LOADK = 1
    GETGLOBAL = 5
    GETTABLE = 6
    SELF = 11
    CONCAT = 21
    JMP = 22
    CALL = 28
    TAILCALL = 29
    FORLOOP = 31
    FORPREP = 32
    SETLIST = 34


class _Op53(IntEnum):
    GETTABUP = 6
    GETTABLE = 7
    SELF = 12
    CALL = 36
    TAILCALL = 37


#: Instructions that do not write register A (stores, jumps, tests, returns), so cannot load a callee.
_NO_RESULT_51 = {7, 8, 9, 22, 23, 24, 25, 26, 30, 34, 35}
_NO_RESULT_53 = {8, 9, 10, 30, 31, 32, 33, 34, 38, 43}


def strip(proto: Proto, level: Strip, version: str) -> None:
    """Drop debug information from a function and all within, in place."""
    for function in walk(proto):
        if level >= Strip.NAMES:
            function.locals = []
            # "?" is what the chip prints for an upvalue without a name; 5.1 needs one to see the upvalue at all.
            function.upvalue_names = [b"?"] * function.upvalues if version == "5.1" else []
        if level >= Strip.NAMES_AND_LINES:
            function.lines = []


def check_limits(proto: Proto, chunk_name: bytes) -> None:
    """Refuse what the chip's 5.1 compiler refuses.

    Raises:
        TooManyLocals: with the text of app/lua/lparser.c `errorlimit`.
    """
    for function in walk(proto):
        line = _line_of_excess(function)
        if line is not None:
            where = f"function at line {function.line_defined}" if function.line_defined else "main function"
            raise TooManyLocals(
                f"{chunk_name.decode('latin-1')}:{line}: {where} has more than {MAX_LOCALS_51} local variables"
            )


def limit_of_locals(message: bytes) -> bytes:
    """The host's complaint of too many local variables with the chip's limit in it."""
    return message.replace(b"has more than 200 local variables", b"has more than %d local variables" % MAX_LOCALS_51)


def _line_of_excess(function: Proto) -> int | None:
    # The scope of the function's own variables ends before its last RETURN, perhaps without an instruction in it.
    end = len(function.code) - 1
    for index, (name, start, _) in enumerate(function.locals):
        active = 1 + sum(
            first <= start and (start < after or after == end) for _, first, after in function.locals[:index]
        )
        if active > MAX_LOCALS_51 and name is not None:
            at = max(0, min(start - 1, len(function.lines) - 1))
            return function.lines[at] if function.lines else function.line_defined
    return None


def untail(
    proto: Proto, firmware_names: Collection[bytes], version: str, is_c: Callable[[bytes], bool] = lambda name: False
) -> None:
    """Turn tail calls of firmware functions into plain calls, in place.

    The callee is known by its name: the constant that the instruction before loaded it by.

    Args:
        proto: the function.
        firmware_names: what the firmware calls its functions.
        version: of Lua.
        is_c: tells of a global whether it is a function of the firmware now, whatever it is called.
    """
    is_51 = version == "5.1"
    tail, call = (_Op51.TAILCALL, _Op51.CALL) if is_51 else (_Op53.TAILCALL, _Op53.CALL)
    for function in walk(proto):
        for pc, word in enumerate(function.code):
            if word & 0x3F != tail:
                continue
            name, is_global = _callee(function, pc, is_51)
            if name is not None and (name in firmware_names or is_global and is_c(name)):
                function.code[pc] = word & ~0x3F | call


def _callee(function: Proto, pc: int, is_51: bool) -> tuple[bytes | None, bool]:
    """The name of what a call calls, and whether it is that of a global; None if it has none."""
    register = function.code[pc] >> 6 & 0xFF
    skip = _NO_RESULT_51 if is_51 else _NO_RESULT_53
    for word in reversed(function.code[:pc]):
        op = word & 0x3F
        if word >> 6 & 0xFF != register or op in skip:
            continue
        if is_51 and op == _Op51.GETGLOBAL:
            key = 0x100 | word >> 14
        elif op in ((_Op51.GETTABLE, _Op51.SELF) if is_51 else (_Op53.GETTABUP, _Op53.GETTABLE, _Op53.SELF)):
            key = word >> 14 & 0x1FF
        else:
            return None, False
        index = key - 0x100
        value = function.constants[index].value if 0 <= index < len(function.constants) else None
        return value if isinstance(value, bytes) else None, op == (_Op51.GETGLOBAL if is_51 else _Op53.GETTABUP)
    return None, False


def check_concats(proto: Proto) -> None:
    """Put a length check behind every CONCAT of a 5.1 chunk, in place.

    `R(A) := R(B).. ... ..R(C)` is followed by `(key[key])(R(A))`, key being CONCAT_CHECK, in the registers above C,
    which are free at that point: the operands of a concatenation always lie on top of the function's registers.
    """
    for function in walk(proto):
        if any(word & 0x3F == _Op51.CONCAT for word in function.code):
            _check_concats_of(function)


def _check_concats_of(function: Proto) -> None:
    key = constant(function, CONCAT_CHECK)

    def checked(_pc: int, word: int) -> list[int] | None:
        if word & 0x3F != _Op51.CONCAT:
            return None
        result, top = word >> 6 & 0xFF, (word >> 14 & 0x1FF) + 1
        function.stack = max(function.stack, top + 3)
        return [
            word,
            abx(_Op51.LOADK, top, key),
            abc(_Op51.GETTABLE, top, top, top),
            abc(_Op51.MOVE, top + 1, result, 0),
            abc(_Op51.CALL, top, 2, 1),
        ]

    insert(function, checked)


#: Instructions with a jump's distance.
_JUMPS: dict[str, set[int]] = {"5.1": {_Op51.JMP, _Op51.FORLOOP, _Op51.FORPREP}, "5.3": {30, 39, 40, 42}}


def insert(function: Proto, instead: Callable[[int, int], list[int] | None], version: str = "5.1") -> None:
    """Put instructions in the places of others, in place: jumps, lines and scopes move along.

    Args:
        function: one function, without those within.
        instead: what an instruction becomes, given where it stands and itself, or None if it stays. An instruction that
            jumps must be among what it becomes; it must be none that is skipped.
        version: of Lua.
    """
    jumps = _JUMPS[version]
    moved: list[int] = []  # old pc -> new pc
    stayed: list[int] = []  # old pc -> new pc of the instruction itself, or of the first in its place
    code: list[int] = []
    lines: list[int] = []
    data = set()
    if version == "5.1":
        words = enumerate(function.code)
        data = {pc + 1 for pc, word in words if word & 0x3F == _Op51.SETLIST and not word >> 14 & 0x1FF}
    for pc, word in enumerate(function.code):
        moved.append(len(code))
        added = (None if pc in data else instead(pc, word)) or [word]
        stayed.append(len(code) + (added.index(word) if word in added else 0))
        code += added
        if function.lines:
            lines += [function.lines[pc]] * len(added)
    moved.append(len(code))
    for pc, word in enumerate(function.code):
        if word & 0x3F in jumps and pc not in data:
            target = pc + 1 + (word >> 14) - _MAX_SBX
            offset = moved[target] - (stayed[pc] + 1)
            code[stayed[pc]] = word & 0x3FFF | (offset + _MAX_SBX) << 14
    function.locals = [(name, moved[start], moved[end]) for name, start, end in function.locals]
    function.code, function.lines = code, lines


def constant(function: Proto, text: bytes) -> int:
    """Index of a short string among the function's constants, where it is put if need be."""
    wanted = Constant(_STRING, text)  # the tag of short strings on 5.3, too
    if wanted not in function.constants:
        function.constants.append(wanted)
    return function.constants.index(wanted)


def abc(op: int, a: int, b: int, c: int) -> int:
    """An instruction with three operands."""
    return op | a << 6 | c << 14 | b << 23


def abx(op: int, a: int, bx: int) -> int:
    """An instruction with a long second operand."""
    return op | a << 6 | bx << 14
