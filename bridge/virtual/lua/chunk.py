"""Precompiled Lua chunks: what `string.dump` writes, read into prototypes and written again.

The virtual board compiles source with the host's VM and rewrites the result (see `rewrite`), so that error texts,
limits and tracebacks are those of the chip. Both formats (app/lua/ldump.c, app/lua53/ldump.c) are handled in any
sizes of `int` and `size_t`: the VM here has 64-bit sizes, files on the board have the chip's 32-bit ones.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace

SIGNATURE = b"\x1bLua"
#: Bytes of the header that 5.3 uses to notice a damaged file (LUAC_DATA).
_DATA_53 = b"\x19\x93\r\n\x1a\n"
_INT_53 = 0x5678
_NUM_53 = 370.5


class BadChunk(ValueError):
    """A precompiled chunk that is damaged or of another kind.

    Args:
        kind: what is wrong: "truncated", "header", "version", "corrupted", "size", "float", "constant".
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind

    def text(self, version: str) -> str:
        """The complaint of `luaU_undump` (app/lua/lundump.c, app/lua53/lundump.c)."""
        return (_COMPLAINTS_51 if version == "5.1" else _COMPLAINTS_53)[self.kind] + " precompiled chunk"


_COMPLAINTS_51 = {
    "truncated": "unexpected end in",
    "header": "bad header in",
    "version": "bad header in",
    "corrupted": "bad header in",
    "size": "bad header in",
    "float": "bad header in",
    "constant": "bad constant in",
}
_COMPLAINTS_53 = {
    "truncated": "truncated",
    "header": "not a",
    "version": "version mismatch in",
    "corrupted": "corrupted",
    "size": "int size mismatch in",
    "float": "float format mismatch in",
    "constant": "truncated",
}


@dataclass(frozen=True)
class Constant:
    """A constant of a function: Lua's own type tag and the value.

    Args:
        tag: type tag as in the dump (0 nil, 1 boolean, 3 number, 0x13 integer, 4 and 0x14 string).
        value: None, bool, bytes, or number.
    """

    tag: int
    value: None | bool | int | float | bytes


@dataclass
class Proto:
    """One function of a chunk, as the compiler left it."""

    source: bytes | None
    line_defined: int
    last_line: int
    parameters: int
    vararg: int
    stack: int
    upvalues: int
    code: list[int] = field(default_factory=list)
    constants: list[Constant] = field(default_factory=list)
    #: 5.3 only: (in the enclosing function's stack, index) of each upvalue.
    captures: list[tuple[int, int]] = field(default_factory=list)
    protos: list[Proto] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    #: (name, first instruction, first instruction after) of each local variable.
    locals: list[tuple[bytes | None, int, int]] = field(default_factory=list)
    upvalue_names: list[bytes | None] = field(default_factory=list)


@dataclass(frozen=True)
class Format:
    """How a chunk is laid out: the version byte and the sizes that the machine had that wrote it."""

    version: int
    size_t: int = 8
    integer: int = 8
    number: int = 8

    @property
    def is_53(self) -> bool:
        return self.version == 0x53


#: What the VM in this process reads and writes.
HOST_51 = Format(0x51)
HOST_53 = Format(0x53)
#: What lies in files on the board (32-bit; 5.1 with doubles, 5.3 with 32-bit integers and floats).
CHIP_51 = Format(0x51, size_t=4)
CHIP_53 = Format(0x53, size_t=4, integer=4, number=4)


def is_chunk(data: bytes) -> bool:
    """True if this is a precompiled chunk rather than source."""
    return data.startswith(SIGNATURE[:1])


def parse(data: bytes, version: str) -> Proto:
    """Read a chunk of Lua "5.1" or "5.3".

    Raises:
        BadChunk: the bytes are not a whole chunk of this version.
    """
    return _Reader(data, version).function(None)


def dump(proto: Proto, layout: Format) -> bytes:
    """Write a chunk in a given layout."""
    writer = _Writer(layout)
    writer.header(proto)
    writer.function(proto, None)
    return bytes(writer.out)


def walk(proto: Proto) -> list[Proto]:
    """A function and all functions within, outermost first."""
    found = [proto]
    for inner in proto.protos:
        found += walk(inner)
    return found


def _header_51(size_t: int) -> bytes:
    return SIGNATURE + bytes([0x51, 0, 1, 4, size_t, 4, 8, 0])


class _Reader:
    def __init__(self, data: bytes, version: str) -> None:
        self.data = data
        self.at = 0
        if version == "5.1":
            header = self.take(12)
            self.layout = Format(0x51, size_t=header[8])
            if header[8] not in (4, 8) or header != _header_51(header[8]):
                raise BadChunk("header")
            return
        self.layout = Format(0x53)
        if self.take(4) != SIGNATURE:
            raise BadChunk("header")
        if self.byte() != 0x53 or self.byte() != 0:
            raise BadChunk("version")
        if self.take(6) != _DATA_53:
            raise BadChunk("corrupted")
        c_int, size_t, instruction, integer, number = self.take(5)
        if (c_int, instruction) != (4, 4) or not {size_t, integer, number} <= {4, 8}:
            raise BadChunk("size")
        self.layout = Format(0x53, size_t=size_t, integer=integer, number=number)
        if self.integer() != _INT_53 or self.number() != _NUM_53:
            raise BadChunk("float")
        self.byte()  # number of upvalues of the main function, repeated inside

    def take(self, n: int) -> bytes:
        if n < 0 or self.at + n > len(self.data):
            raise BadChunk("truncated")
        self.at += n
        return self.data[self.at - n : self.at]

    def byte(self) -> int:
        return self.take(1)[0]

    def c_int(self) -> int:
        return int(struct.unpack("<i", self.take(4))[0])

    def size(self) -> int:
        return int.from_bytes(self.take(self.layout.size_t), "little")

    def integer(self) -> int:
        return int.from_bytes(self.take(self.layout.integer), "little", signed=True)

    def number(self) -> float:
        return float(struct.unpack("<d" if self.layout.number == 8 else "<f", self.take(self.layout.number))[0])

    def string(self) -> bytes | None:
        if self.layout.is_53:
            size = self.byte()
            if size == 0xFF:
                size = self.size()
            return self.take(size - 1) if size else None
        size = self.size()
        return self.take(size)[:-1] if size else None

    def constant(self) -> Constant:
        tag = self.byte()
        if tag == 0:
            return Constant(tag, None)
        if tag == 1:
            return Constant(tag, bool(self.byte()))
        if tag == 3:
            return Constant(tag, self.number())
        if tag == 0x13 and self.layout.is_53:
            return Constant(tag, self.integer())
        if tag in (4, 0x14):
            return Constant(tag, self.string() or b"")
        raise BadChunk("constant")

    def function(self, parent: bytes | None) -> Proto:
        source = self.string()
        source = parent if source is None else source
        proto = Proto(source, self.c_int(), self.c_int(), 0, 0, 0, 0)
        if not self.layout.is_53:
            proto.upvalues = self.byte()
        proto.parameters, proto.vararg, proto.stack = self.take(3)
        count = self.c_int()
        proto.code = list(struct.unpack(f"<{count}I", self.take(4 * count)))
        proto.constants = [self.constant() for _ in range(self.c_int())]
        if self.layout.is_53:
            proto.captures = [(self.byte(), self.byte()) for _ in range(self.c_int())]
            proto.upvalues = len(proto.captures)
        proto.protos = [self.function(source) for _ in range(self.c_int())]
        count = self.c_int()
        proto.lines = list(struct.unpack(f"<{count}i", self.take(4 * count)))
        proto.locals = [(self.string(), self.c_int(), self.c_int()) for _ in range(self.c_int())]
        proto.upvalue_names = [self.string() for _ in range(self.c_int())]
        return proto


class _Writer:
    def __init__(self, layout: Format) -> None:
        self.layout = layout
        self.out = bytearray()

    def header(self, proto: Proto) -> None:
        layout = self.layout
        if layout.is_53:
            self.out += SIGNATURE + bytes([layout.version, 0]) + _DATA_53
            self.out += bytes([4, layout.size_t, 4, layout.integer, layout.number])
            self.integer(_INT_53)
            self.number(_NUM_53)
            self.out.append(proto.upvalues)
        else:
            self.out += _header_51(layout.size_t)

    def c_int(self, value: int) -> None:
        self.out += struct.pack("<i", value)

    def integer(self, value: int) -> None:
        size = self.layout.integer
        self.out += (value & (1 << 8 * size) - 1).to_bytes(size, "little")

    def number(self, value: float) -> None:
        self.out += struct.pack("<d" if self.layout.number == 8 else "<f", value)

    def string(self, text: bytes | None) -> None:
        if self.layout.is_53:
            size = 0 if text is None else len(text) + 1
            self.out += bytes([size]) if size < 0xFF else b"\xff" + size.to_bytes(self.layout.size_t, "little")
            self.out += text or b""
        else:
            size = 0 if text is None else len(text) + 1
            self.out += size.to_bytes(self.layout.size_t, "little")
            self.out += b"" if text is None else text + b"\0"

    def constant(self, constant: Constant) -> None:
        value = constant.value
        self.out.append(constant.tag)
        if isinstance(value, bool):
            self.out.append(value)
        elif isinstance(value, bytes):
            self.string(value)
        elif constant.tag == 0x13 and isinstance(value, int):
            self.integer(value)
        elif value is not None:
            self.number(value)

    def function(self, proto: Proto, parent: bytes | None) -> None:
        self.string(None if proto.source == parent else proto.source)
        self.c_int(proto.line_defined)
        self.c_int(proto.last_line)
        if not self.layout.is_53:
            self.out.append(proto.upvalues)
        self.out += bytes([proto.parameters, proto.vararg, proto.stack])
        self.c_int(len(proto.code))
        self.out += struct.pack(f"<{len(proto.code)}I", *proto.code)
        self.c_int(len(proto.constants))
        for constant in proto.constants:
            self.constant(constant)
        if self.layout.is_53:
            self.c_int(len(proto.captures))
            for in_stack, index in proto.captures:
                self.out += bytes([in_stack, index])
        self.c_int(len(proto.protos))
        for inner in proto.protos:
            self.function(inner, proto.source)
        self.c_int(len(proto.lines))
        self.out += struct.pack(f"<{len(proto.lines)}i", *proto.lines)
        self.c_int(len(proto.locals))
        for name, start, end in proto.locals:
            self.string(name)
            self.c_int(start)
            self.c_int(end)
        self.c_int(len(proto.upvalue_names))
        for name in proto.upvalue_names:
            self.string(name)


def copy(proto: Proto) -> Proto:
    """A prototype that can be changed without changing the original."""
    return replace(
        proto,
        code=list(proto.code),
        constants=list(proto.constants),
        protos=[copy(inner) for inner in proto.protos],
    )
