"""Where Lua 5.1.5, compiled for 64 bits, keeps what `VmMemory` reads (lobject.h, lstate.h)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from bridge.virtual.heap.memory import FLAT_CALLS, FLAT_STACK, MEMORY, Proto, Signature, Table, VmMemory, pointer, read

_INT = struct.Struct("<i")
#: Head of a string: the next one in its bucket, its hash, its length.
_STRING = struct.Struct("<Q4xIQ")
#: Bytes of a node; its value comes first, with the type tag behind.
_NODE = 40
#: Bytes of a call record.
_CALL = 40
_PROTO_AT = 16
#: k, code, p, lineinfo, locvars, upvalues, source; sizes of upvalues, k, code, lineinfo, p, locvars; the lines.
_PROTO = struct.Struct("<7Q8i")


class Memory51(VmMemory):
    """The objects of a 5.1 VM."""

    counts_strings_apart = True
    _globals_at = 32
    _main_at = 176

    def lists(self) -> tuple[int, ...]:
        # Userdata hang behind the main thread, which is the last of all others.
        return pointer(self.globals + 40), pointer(self.main)

    def mark(self) -> tuple[int, ...]:
        (strings,) = struct.unpack_from("<I", MEMORY, self.globals + 8)
        return (*self.lists(), strings)

    def strings(self) -> list[tuple[int, int, Signature]]:
        buckets, _, size = struct.unpack_from("<QIi", MEMORY, self.globals)
        found: list[tuple[int, int, Signature]] = []
        string, memory = _STRING.unpack_from, MEMORY
        for address in struct.unpack(f"<{size}Q", read(buckets, 8 * size)):
            while address:
                following, hashed, length = string(memory, address)
                found.append((address, length, (hashed, length)))
                address = following
        return found

    def string_length(self, address: int) -> int:
        return pointer(address + 16)

    def table(self, address: int) -> Table:
        nodes = 0 if pointer(address + 32) == self._dummy else 1 << MEMORY[address + 11]
        return Table(_INT.unpack_from(MEMORY, address + 56)[0], nodes)

    def closure(self, address: int) -> tuple[bool, int, tuple[int, ...]]:
        return bool(MEMORY[address + 10]), MEMORY[address + 11], ()

    def code_of(self, address: int) -> int:
        return pointer(address + 32)

    def nested(self, address: int) -> tuple[int, ...]:
        fields = _PROTO.unpack_from(MEMORY, address + _PROTO_AT)
        return struct.unpack_from(f"<{fields[11]}Q", MEMORY, fields[2])

    def proto(self, address: int) -> Proto:
        fields = _PROTO.unpack_from(MEMORY, address + _PROTO_AT)
        k, code, _, lineinfo = fields[:4]
        upvalues, constants, size_code, size_lines, protos, local_names, first_line = fields[7:14]
        lines = struct.unpack_from(f"<{size_lines}i", MEMORY, lineinfo) if size_lines else ()
        hidden = self._hidden(k, constants)
        return Proto(read(code, 4 * size_code), constants, protos, upvalues, local_names, lines, first_line, hidden)

    def thread(self, address: int) -> tuple[int, int]:
        stack, calls = struct.unpack_from("<ii", MEMORY, address + 88)
        return stack, calls

    def open_upvalues(self, address: int) -> Iterator[int]:
        return (cell for cell, _ in self.chain(pointer(address + 152)))

    def userdata_size(self, address: int) -> int:
        return pointer(address + 32)

    def count(self) -> int:
        return pointer(self.globals + 120)

    def own(self) -> int:
        (size,) = _INT.unpack_from(MEMORY, self.globals + 12)
        registry = self.table(pointer(self.globals + 160))
        stack, calls = self.thread(self.main)
        buffer = pointer(self.globals + 104)
        size *= 8
        return int(
            size
            + 16 * registry.array
            + _NODE * registry.nodes
            + 16 * min(stack, FLAT_STACK)
            + _CALL * min(calls, FLAT_CALLS)
            + buffer
        )

    def hook_counts(self) -> tuple[int, int]:
        every, left = struct.unpack_from("<ii", MEMORY, self.main + 104)
        return every, left

    def entries(self, address: int) -> int:
        raw = read(pointer(address + 32), _NODE * self.table(address).nodes)
        return sum(1 for at in range(0, len(raw), _NODE) if _INT.unpack_from(raw, at + 8)[0] != 0)

    def global_table(self) -> int:
        return pointer(self.main + 120)

    def _node(self, address: int) -> int:
        return pointer(address + 32)
