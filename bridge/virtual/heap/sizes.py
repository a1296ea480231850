"""Bytes that Lua's objects take in the heap of the 32-bit chip, by kind and by build of Lua.

Struct sizes are those of the stock headers compiled for the chip (`host.sizes()` of the recorder shows them); the
allocator puts a header of 8 bytes before each block and rounds to 8. What it gives beyond that, up to 16 bytes where a
free block was not worth splitting, depends on the heap's history and is not modelled.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bridge.virtual.lua.chunk import Proto, walk

_HEADER = 8


def block(size: int) -> int:
    """What the allocator takes for `size` bytes; no bytes take nothing."""
    return (size + _HEADER + 7) // 8 * 8 if size > 0 else 0


@dataclass(frozen=True)
class Sizes:
    """Struct sizes of one build, in bytes."""

    value: int
    node: int
    closure: int
    upvalue: int
    userdata: int
    proto: int
    thread: int
    call: int
    upvalue_name: int
    #: What compiling needs at its peak: so many times the chunk with all its debug information, and bytes more.
    compile_factor: float
    compile_extra: int
    #: What the allocator loses to fragmentation with each function, on average (mem_chunks).
    fragmentation: int
    #: True prices the bytes asked for, as Lua counts them itself; False what the allocator takes.
    bare: bool = False

    def block(self, size: int) -> int:
        """What `size` bytes take."""
        return size if self.bare else block(size)

    def table(self, array: int, nodes: int) -> int:
        """A table with so many array slots and hash nodes."""
        return self.block(32) + self.block(array * self.value) + self.block(nodes * self.node)

    def string(self, length: int) -> int:
        """A string of so many bytes."""
        return self.block(16 + length + 1)

    def lua_closure(self, upvalues: int) -> int:
        """A Lua function, without its prototype and without the upvalues themselves."""
        return self.block(self.closure + 4 * upvalues)

    def c_closure(self, upvalues: int) -> int:
        """A C function with upvalues; without any it takes nothing (a light function)."""
        return self.block(self.closure + self.value * upvalues) if upvalues else 0

    def upvalue_cell(self) -> int:
        """A captured variable."""
        return self.block(self.upvalue)

    def userdata_block(self, size: int) -> int:
        """A userdata of so many bytes."""
        return self.block(self.userdata + size)

    def coroutine(self, stack: int, calls: int) -> int:
        """A thread with its stack slots and, on 5.1, its array of calls."""
        return self.block(self.thread) + self.block(stack * self.value) + self.block(calls * self.call)

    def prototype(self, *, code: int, constants: int, protos: int, upvalues: int, local_names: int, lines: int) -> int:
        """A function prototype, without strings and nested prototypes.

        Args:
            code: instructions.
            constants: constants.
            protos: nested prototypes.
            upvalues: upvalues, on 5.1 only if their names are kept.
            local_names: names of local variables kept.
            lines: bytes of packed line information, 0 if it is stripped.
        """
        return (
            self.block(self.proto)
            + (0 if self.bare else self.fragmentation)
            + self.block(4 * code)
            + self.block(self.value * constants)
            + self.block(4 * protos)
            + self.block(self.upvalue_name * upvalues)
            + self.block(12 * local_names)
            + self.block(lines)
        )


#: 5.1 with doubles; 5.1 with integers; 5.3 with 32-bit numbers.
FLOAT_51 = Sizes(12, 32, 20, 24, 24, 72, 112, 24, 4, 2.0, 320, 16)
INTEGER_51 = Sizes(8, 20, 20, 20, 24, 72, 104, 24, 4, 1.8, 300, 8)
FLOAT_53 = Sizes(8, 20, 16, 16, 20, 76, 124, 0, 8, 1.25, 320, 8)


def sizes_of(lua: str, number: str) -> Sizes:
    """The sizes of a build.

    Args:
        lua: "5.1" or "5.3".
        number: "integer", or anything else for a build with decimals.
    """
    if lua != "5.1":
        return FLOAT_53
    return INTEGER_51 if number == "integer" else FLOAT_51


def packed_lines(lines: Iterable[int], first: int) -> int:
    """Bytes that a function's line information takes, packed (app/lua/lcode.c `generateInfoDeltaLine`).

    Args:
        lines: the line of each instruction.
        first: the line before which the function's first instruction is counted.
    """
    size = 1
    last, run = first, 127
    for line in lines:
        if line == last and run < 127:
            run += 1
            continue
        delta = line - last - 1
        size += 1
        if delta:
            size += 1
            rest = (-delta - 1 if delta < 0 else delta - 1) >> 6
            while rest:
                size += 1
                rest >>= 7
        last, run = line, 1
    return size


def price_of(sizes: Sizes, proto: Proto) -> int:
    """Bytes that a chunk takes with its strings and the functions within, as it stands."""
    strings: set[bytes] = set()
    total = 0
    for function in walk(proto):
        strings.update(constant.value for constant in function.constants if isinstance(constant.value, bytes))
        strings.update(name for name, _, _ in function.locals if name)
        total += sizes.prototype(
            code=len(function.code),
            constants=len(function.constants),
            protos=len(function.protos),
            upvalues=function.upvalues,
            local_names=len(function.locals),
            lines=packed_lines(function.lines, function.line_defined) if function.lines else 0,
        )
    return total + sum(sizes.string(len(text)) for text in strings)
