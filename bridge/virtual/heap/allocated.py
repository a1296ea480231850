"""What the VM has allocated since a moment: blocks, and the bytes that they take on the chip."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Protocol

from bridge.virtual.heap.memory import Kind, Table, VmMemory
from bridge.virtual.heap.sizes import Sizes

#: Bytes of a block in this process, on average, for a guess.
_GUESSED_BLOCK = 60
#: Bytes of this process: headers of a string by version, a table with its slots and nodes, a userdata, other objects.
_STRING = {"5.1": 25, "5.3": 25}
_TABLE, _SLOT = {"5.1": 64, "5.3": 56}, 16
_NODE = {"5.1": 40, "5.3": 32}
_FUNCTION = {"5.1": 40, "5.3": 32}
_OTHER = {Kind.PROTO: 120, Kind.UPVALUE: 40, Kind.THREAD: 900, Kind.USERDATA: 40}
_UPVALUE_CELL = 32
#: What a string takes besides its text on the chip.
_CHIP_STRING = 17
#: Growth of an older table takes so much on the chip of what it takes here, at least.
_TABLE_GROWTH = 0.7

Mark = tuple[int, ...]
#: Where the first objects stand in a mark: behind what the VM has allocated, and what of it is its own.
_HEADS = 2


@dataclass(frozen=True)
class Allocated:
    """Bytes as Lua counts them, bytes as the chip's allocator gives them, blocks, and bytes in this process."""

    bare: float = 0.0
    taken: float = 0.0
    blocks: float = 0.0
    host: float = 0.0

    def less(self, other: Allocated) -> Allocated:
        """Without something else; never less than nothing."""
        return Allocated(
            max(0.0, self.bare - other.bare),
            max(0.0, self.taken - other.taken),
            max(0.0, self.blocks - other.blocks),
            max(0.0, self.host - other.host),
        )

    def plus(self, other: Allocated, times: float = 1) -> Allocated:
        """With something else, so many times."""
        return Allocated(
            self.bare + times * other.bare,
            self.taken + times * other.taken,
            self.blocks + times * other.blocks,
            self.host + times * other.host,
        )


class PriceObject(Protocol):
    """Prices one object that is no string."""

    def __call__(self, sizes: Sizes, address: int, kind: int, cells: set[int]) -> int: ...


class Allocations:
    """Looks at what is new in a VM's memory.

    Args:
        version: "5.1" or "5.3".
        memory: the VM's memory.
        sizes: sizes on the chip.
        price_object: prices an object.
    """

    def __init__(self, version: str, memory: VmMemory, sizes: Sizes, price_object: PriceObject) -> None:
        self._version = version
        self._memory = memory
        self._sizes = sizes
        self._bare = replace(sizes, bare=True)
        self._price_object = price_object
        #: Objects that are never left behind: where a mark is lost the search ends here.
        self.anchor: frozenset[int] = frozenset()

    def mark(self) -> Mark:
        """Where allocation stands now."""
        return (self._memory.count(), self._memory.own(), *self._memory.mark())

    def blocks(self, mark: Mark) -> int:
        """Blocks allocated since a mark: objects, strings, and growth of tables.

        Exact if nothing was collected since; otherwise guessed from the bytes.
        """
        now = self.mark()
        if now == mark:
            return 0
        found = self._new_objects(mark)
        if found is None:
            return _grown(now, mark) // _GUESSED_BLOCK
        count = len(found)
        for address, kind in found:
            if kind == Kind.TABLE:
                count += _grown_blocks(self._memory.table(address))
        return count + self._new_strings(now, mark)

    def since(self, mark: Mark, *, apart: int = -1) -> Allocated:
        """What was allocated since a mark, in bytes of the chip; without one string of `apart` bytes, if it is new.

        New objects are priced one by one. What 5.1 allocated besides is strings, whose bytes differ from the chip's by
        their header alone; growth of older tables hides among them, and is then taken for a third too much. Exact if
        nothing was collected since; otherwise guessed from this process's bytes.
        """
        now = self.mark()
        if now == mark:
            return Allocated()
        grown = _grown(now, mark)
        found = self._new_objects(mark)
        if found is None:
            return Allocated(grown * 0.6, grown * 0.8, grown / _GUESSED_BLOCK, grown)
        cells: set[int] = set()
        bare_cells: set[int] = set()
        bare = taken = host = 0
        blocks = len(found)
        tables: Counter[Table] = Counter()
        for address, kind in found:
            if kind == Kind.TABLE:
                tables[self._memory.table(address)] += 1
                continue
            if kind == Kind.STRING:
                length = self._memory.string_length(address)
                host += _STRING[self._version] + length
                if length == apart:
                    apart, blocks = -1, blocks - 1
                    continue
                bare += self._bare.string(length)
                taken += self._sizes.string(length)
                continue
            price = self._price_object(self._sizes, address, kind, cells)
            taken += price
            blocks -= price <= 0  # not the chip's
            bare += self._price_object(self._bare, address, kind, bare_cells)
            more, size = self._here(address, kind)
            blocks += more
            host += size
        for table, count in tables.items():
            taken += count * self._sizes.table(*table)
            bare += count * self._bare.table(*table)
            blocks += count * _grown_blocks(table)
            host += count * (_TABLE[self._version] + _SLOT * table.array + _NODE[self._version] * table.nodes)
        strings = self._new_strings(now, mark)
        rest = max(0, grown - host)
        if strings and 0 <= apart <= rest - _STRING[self._version]:
            rest, strings = rest - apart - _STRING[self._version], strings - 1
        # Captured variables are in no list on 5.3; those that many functions share are old.
        new_cells = min(len(cells), rest // _UPVALUE_CELL)
        rest -= _UPVALUE_CELL * new_cells
        bare += new_cells * self._bare.upvalue_cell()
        taken += new_cells * self._sizes.upvalue_cell()
        if strings:
            text = max(0, rest - strings * _STRING[self._version])
            bare += text + strings * _CHIP_STRING
            taken += text + strings * (_CHIP_STRING + 8 + 4)
        else:
            bare += int(rest * _TABLE_GROWTH)
            taken += int(rest * _TABLE_GROWTH)
        return Allocated(bare, taken, blocks + strings + new_cells, grown)

    def count_new(self) -> int:
        """Objects behind the anchor in the list of all, garbage included."""
        return sum(1 for _ in self._memory.chain(self._memory.lists()[0], self.anchor))

    def _new_objects(self, mark: Mark) -> list[tuple[int, int]] | None:
        """The objects in front of the mark, or None if the mark is gone."""
        memory = self._memory
        found: list[tuple[int, int]] = []
        for first, old in zip(memory.lists(), mark[_HEADS:], strict=False):
            last = 0
            for address, kind in memory.chain(first, frozenset((old,))):
                if address in self.anchor:
                    return None
                found.append((address, kind))
                last = address
            if last != 0 and memory.next(last) != old:
                return None
        return found

    def _new_strings(self, now: Mark, mark: Mark) -> int:
        heads = _HEADS + len(self._memory.lists())
        return sum(max(0, after - before) for after, before in zip(now[heads:], mark[heads:], strict=True))

    def _here(self, address: int, kind: int) -> tuple[int, int]:
        """Blocks besides the object's own, and its bytes in this process; of what is neither string nor table."""
        memory = self._memory
        match kind:
            case Kind.FUNCTION:
                is_c, upvalues, _ = memory.closure(address)
                return 0, _FUNCTION[self._version] + (_SLOT if is_c else 8) * upvalues
            case Kind.PROTO:
                proto = memory.proto(address)
                size = len(proto.code) + _SLOT * proto.constants + 8 * proto.protos + 4 * len(proto.lines)
                names = 16 * proto.local_names + (8 if self._version == "5.1" else 16) * proto.upvalues
                return 5, _OTHER[Kind.PROTO] + size + names
            case Kind.USERDATA:
                return 0, _OTHER[Kind.USERDATA] + memory.userdata_size(address)
        return 0, _OTHER.get(Kind(kind), 0)


def _grown_blocks(table: Table) -> int:
    """Blocks that a table took besides its own while it grew."""
    return table.array.bit_length() + table.nodes.bit_length()


def _grown(now: Mark, mark: Mark) -> int:
    return max(0, now[0] - now[1] - (mark[0] - mark[1]))
