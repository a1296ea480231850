"""Counts the memory of a board anew, without the heap model's own books, and holds the model against it.

Three counts that know nothing of each other have to agree: the VM's own counter of bytes, the sizes of all objects in
its lists, and, for what the chip pays, the objects that carry no mark of having been there when the firmware was ready.
"""

from __future__ import annotations

import ctypes
import struct
from collections import Counter
from typing import Any

from bridge.virtual.heap.memory import Kind, pointer, read
from bridge.virtual.heap.model import HeapModel

#: Bit of an object's mark that neither version of Lua uses, and where the mark stands.
_BRAND, _MARK_AT = 0x80, 9
_SIZES = {
    # string, table, node, closure, upvalue, proto, upvalue's description, thread, call record, userdata
    "5.1": (25, 64, 40, 40, 40, 120, 8, 184, 40, 40),
    "5.3": (25, 56, 32, 32, 32, 120, 16, 216, 72, 40),
}


class Recount:
    """Beside the model of one boot, from the moment that it is made: what lives then is taken for the firmware's own.

    Args:
        heap: the model; its board has just booted.
    """

    def __init__(self, heap: HeapModel) -> None:
        self.heap = heap
        self.memory = heap._memory
        self.is_51 = heap._lua.version == "5.1"
        self.sizes = _SIZES[heap._lua.version]
        self.claims: Counter[int] = Counter()
        self.claimed_before = heap._claimed
        self._watch_claims()
        heap._lua.collect()
        ours = {address for found in heap._gather() for address, _ in found}
        for address, _ in self.objects():
            if address not in ours:
                mark = read(address + _MARK_AT, 1)[0]
                ctypes.memset(address + _MARK_AT, mark | _BRAND, 1)
        self.own = self.unlisted()

    def _watch_claims(self) -> None:
        heap: Any = self.heap
        claim, release = heap.claim, heap.release

        def claimed(size: int) -> int:
            taken: int = claim(size)
            self.claims[taken] += 1
            return taken

        def released(taken: int) -> None:
            release(taken)
            self.claims[taken] -= 1

        heap.claim, heap.release = claimed, released

    def objects(self) -> list[tuple[int, int]]:
        """Address and kind of all objects."""
        memory = self.memory
        found = [each for first in memory.lists() for each in memory.chain(first)]
        return list(dict(found + [(address, int(Kind.STRING)) for address, _ in memory.string_lengths()]).items())

    def is_old(self, address: int) -> bool:
        return bool(read(address + _MARK_AT, 1)[0] & _BRAND)

    def unlisted(self) -> int:
        """Bytes that the VM has taken besides what belongs to its objects: always as many, if all are found."""
        memory = self.memory
        total, cells = 0, set(memory.open_upvalues(memory.main))
        for address, kind in dict([*self.objects(), (memory.main, int(Kind.THREAD))]).items():
            total += self._bytes(address, kind, cells)
        string_table = 8 * struct.unpack("<i", read(memory.globals + (12 if self.is_51 else 60), 4))[0]
        buffer = pointer(memory.globals + 104) if self.is_51 else 0
        return memory.count() - total - len(cells) * self.sizes[4] - string_table - buffer

    def _bytes(self, address: int, kind: int, cells: set[int]) -> int:
        memory = self.memory
        string, table_head, node, closure_head, upvalue, proto_head, name, thread, call, userdata = self.sizes
        match kind:
            case Kind.STRING:
                return string + memory.string_length(address)
            case Kind.TABLE:
                table = memory.table(address)
                return table_head + 16 * table.array + node * table.nodes
            case Kind.FUNCTION:
                is_c, upvalues, more = memory.closure(address)
                cells.update(more)
                return closure_head + (16 if is_c else 8) * upvalues
            case Kind.UPVALUE:
                return upvalue
            case Kind.PROTO:
                proto = memory.proto(address)
                size = len(proto.code) + 16 * proto.constants + 8 * proto.protos + 4 * len(proto.lines)
                return proto_head + size + 16 * proto.local_names + name * proto.upvalues
            case Kind.USERDATA:
                return userdata + memory.userdata_size(address)
            case Kind.THREAD:
                stack, calls = memory.thread(address)
                if not self.is_51:
                    (calls,) = struct.unpack("<H", read(address + 10, 2))
                cells.update(memory.open_upvalues(address))
                return 16 * stack + call * calls + (0 if address == memory.main else thread)
        raise AssertionError(f"kind {kind}")

    def check(self) -> None:
        """Collect what is dead, and raise AssertionError where the counts differ."""
        heap = self.heap
        heap._lua.collect()
        assert self.unlisted() == self.own, "the VM has memory that belongs to none of the objects found"
        objects, apart = heap._gather()
        found = [address for address, _ in objects] + [address for address, _ in apart]
        assert len(found) == len(set(found)), "an object is counted twice"
        new = {address for address, _ in self.objects() if not self.is_old(address)}
        assert set(found) == new, "an old object is counted, or a new one is not"
        self._check_cells(objects)
        assert all(count >= 0 for count in self.claims.values()), "what C gives back it has not taken"
        outstanding = sum(taken * count for taken, count in self.claims.items())
        assert heap._claimed == self.claimed_before + outstanding
        heap.look()
        exact = heap._size - heap._claimed - heap._price(heap.sizes, heap._gather())
        assert heap._seen_free == exact + heap._lent
        assert heap._lent == 0 or exact < 3000

    def _check_cells(self, objects: list[tuple[int, int]]) -> None:
        """Captured variables that count as old belong to an old function."""
        memory = self.memory
        new = {cell for address, kind in objects if kind == Kind.FUNCTION for cell in memory.closure(address)[2]}
        old = {
            cell
            for address, kind in self.objects()
            if kind == Kind.FUNCTION and self.is_old(address)
            for cell in memory.closure(address)[2]
        }
        assert new & self.heap._old_cells <= old, "a new captured variable counts as old"

    @property
    def price(self) -> int:
        """Bytes that Lua's objects take on the chip, besides the firmware's own."""
        return self.heap._price(self.heap.sizes, self.heap._gather())

    @property
    def price_without_tables(self) -> int:
        """As `price`, without tables, which keep the size that they once had."""
        found = self.heap._gather()
        tables = [address for address, kind in found[0] if kind == Kind.TABLE]
        return self.heap._price(self.heap.sizes, found) - sum(
            self.heap._price_object(self.heap.sizes, address, Kind.TABLE, set()) for address in tables
        )
