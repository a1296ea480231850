"""Where Lua 5.3.6, compiled for 64 bits, keeps what `VmMemory` reads (lobject.h, lstate.h, lfunc.h)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from bridge.virtual.heap.memory import (
    FLAT_CALLS,
    FLAT_STACK,
    MEMORY,
    Kind,
    Proto,
    Signature,
    Table,
    VmMemory,
    pointer,
    read,
)

#: Bytes of a node; its value comes first, with the type tag behind.
_NODE = 32
#: Bytes of a call record.
_CALL = 72
#: Sizes of upvalues, k, code, lineinfo, p, locvars; first and last line; k, code, p, lineinfo.
_PROTO_AT = 16
_PROTO = struct.Struct("<8i4Q")
#: Variants of tags: a long string, a closure of C.
_LONG_STRING = Kind.STRING | 1 << 4
_C_CLOSURE = Kind.FUNCTION | 2 << 4


class Memory53(VmMemory):
    """The objects of a 5.3 VM."""

    _globals_at = 24
    _main_at = 200

    def lists(self) -> tuple[int, ...]:
        # All objects, those with finalizers, and those whose finalizers are about to be called.
        return pointer(self.globals + 88), pointer(self.globals + 104), pointer(self.globals + 152)

    def mark(self) -> tuple[int, ...]:
        return self.lists()

    def strings(self) -> list[tuple[int, int, Signature]]:
        return []

    def string_length(self, address: int) -> int:
        return pointer(address + 16) if MEMORY[address + 8] & 0x3F == _LONG_STRING else MEMORY[address + 11]

    def table(self, address: int) -> Table:
        nodes = 0 if pointer(address + 24) == self._dummy else 1 << MEMORY[address + 11]
        return Table(struct.unpack_from("<I", MEMORY, address + 12)[0], nodes)

    def closure(self, address: int) -> tuple[bool, int, tuple[int, ...]]:
        upvalues = MEMORY[address + 10]
        if MEMORY[address + 8] & 0x3F == _C_CLOSURE:
            return True, upvalues, ()
        return False, upvalues, struct.unpack_from(f"<{upvalues}Q", MEMORY, address + 32)

    def code_of(self, address: int) -> int:
        return pointer(address + 24)

    def nested(self, address: int) -> tuple[int, ...]:
        fields = _PROTO.unpack_from(MEMORY, address + _PROTO_AT)
        return struct.unpack_from(f"<{fields[4]}Q", MEMORY, fields[10])

    def proto(self, address: int) -> Proto:
        fields = _PROTO.unpack_from(MEMORY, address + _PROTO_AT)
        upvalues, constants, size_code, size_lines, protos, local_names, first_line = fields[:7]
        k, code, _, lineinfo = fields[8:]
        lines = struct.unpack_from(f"<{size_lines}i", MEMORY, lineinfo) if size_lines else ()
        hidden = self._hidden(k, constants)
        return Proto(read(code, 4 * size_code), constants, protos, upvalues, local_names, lines, first_line, hidden)

    def thread(self, address: int) -> tuple[int, int]:
        (stack,) = struct.unpack_from("<i", MEMORY, address + 184)
        return stack, 0

    def open_upvalues(self, address: int) -> Iterator[int]:
        cell = pointer(address + 64)
        while cell:
            yield cell
            cell = pointer(cell + 16)

    def userdata_size(self, address: int) -> int:
        return pointer(address + 24)

    def count(self) -> int:
        total, debt = struct.unpack_from("<qq", MEMORY, self.globals + 16)
        return int(total + debt)

    def own(self) -> int:
        (size,) = struct.unpack_from("<i", MEMORY, self.globals + 60)
        registry = self.table(pointer(self.globals + 64))
        (calls,) = struct.unpack_from("<H", MEMORY, self.main + 10)
        stack, _ = self.thread(self.main)
        size *= 8
        return int(
            size
            + 16 * registry.array
            + _NODE * registry.nodes
            + 16 * min(stack, FLAT_STACK)
            + _CALL * min(calls, FLAT_CALLS)
        )

    def hook_counts(self) -> tuple[int, int]:
        every, left = struct.unpack_from("<ii", MEMORY, self.main + 188)
        return every, left

    def entries(self, address: int) -> int:
        raw = read(pointer(address + 24), _NODE * self.table(address).nodes)
        return sum(1 for at in range(0, len(raw), _NODE) if raw[at + 8] & 0x3F)

    def global_table(self) -> int:
        registry = pointer(self.globals + 64)
        return pointer(pointer(registry + 16) + 16)

    def _node(self, address: int) -> int:
        return pointer(address + 24)
