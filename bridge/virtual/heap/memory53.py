"""Where Lua 5.3.6, compiled for 64 bits, keeps what `VmMemory` reads (lobject.h, lstate.h, lfunc.h)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from bridge.virtual.heap.memory import FLAT_CALLS, FLAT_STACK, Kind, Proto, Table, VmMemory, pointer, read

_POINTER = struct.Struct("<Q")
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

    def strings(self) -> list[tuple[int, int, bytes]]:
        return []

    def string_length(self, address: int) -> int:
        raw = read(address, 24)
        return int(_POINTER.unpack_from(raw, 16)[0]) if raw[8] & 0x3F == _LONG_STRING else raw[11]

    def table(self, address: int) -> Table:
        raw = read(address, 40)
        nodes = 0 if _POINTER.unpack_from(raw, 24)[0] == self._dummy else 1 << raw[11]
        return Table(struct.unpack_from("<I", raw, 12)[0], nodes)

    def closure(self, address: int) -> tuple[bool, int, tuple[int, ...]]:
        raw = read(address, 12)
        upvalues = raw[10]
        if raw[8] & 0x3F == _C_CLOSURE:
            return True, upvalues, ()
        return False, upvalues, struct.unpack(f"<{upvalues}Q", read(address + 32, 8 * upvalues))

    def code_of(self, address: int) -> int:
        return pointer(address + 24)

    def nested(self, address: int) -> tuple[int, ...]:
        fields = _PROTO.unpack(read(address + _PROTO_AT, _PROTO.size))
        return struct.unpack(f"<{fields[4]}Q", read(fields[10], 8 * fields[4]))

    def proto(self, address: int) -> Proto:
        fields = _PROTO.unpack(read(address + _PROTO_AT, _PROTO.size))
        upvalues, constants, size_code, size_lines, protos, local_names, first_line = fields[:7]
        k, code, _, lineinfo = fields[8:]
        lines = struct.unpack(f"<{size_lines}i", read(lineinfo, 4 * size_lines)) if size_lines else ()
        hidden = self._hidden(k, constants)
        return Proto(read(code, 4 * size_code), constants, protos, upvalues, local_names, lines, first_line, hidden)

    def thread(self, address: int) -> tuple[int, int]:
        (stack,) = struct.unpack("<i", read(address + 184, 4))
        return stack, 0

    def open_upvalues(self, address: int) -> Iterator[int]:
        cell = pointer(address + 64)
        while cell:
            yield cell
            cell = pointer(cell + 16)

    def userdata_size(self, address: int) -> int:
        return pointer(address + 24)

    def count(self) -> int:
        total, debt = struct.unpack("<qq", read(self.globals + 16, 16))
        return int(total + debt)

    def own(self) -> int:
        (size,) = struct.unpack("<i", read(self.globals + 60, 4))
        registry = self.table(pointer(self.globals + 64))
        (calls,) = struct.unpack("<H", read(self.main + 10, 2))
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
        every, left = struct.unpack("<ii", read(self.main + 188, 8))
        return every, left

    def entries(self, address: int) -> int:
        raw = read(pointer(address + 24), _NODE * self.table(address).nodes)
        return sum(1 for at in range(0, len(raw), _NODE) if raw[at + 8] & 0x3F)

    def global_table(self) -> int:
        registry = pointer(self.globals + 64)
        return pointer(pointer(registry + 16) + 16)

    def _node(self, address: int) -> int:
        return pointer(address + 24)
