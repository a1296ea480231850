"""The chip's heap: what C has claimed, and what Lua's objects would take on the 32-bit chip.

Lua's share is priced object by object, each kind by its own rule (`sizes`), from the objects that the host's VM
really has (`memory`). What lives when the firmware's libraries have been opened is the firmware's own: on the
chip most of it stands in flash. `VirtualOptions.heap` is what is free then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bridge.virtual.heap.allocated import Allocated, Allocations, Mark
from bridge.virtual.heap.collector import Stock
from bridge.virtual.heap.memory import FLAT_CALLS, FLAT_STACK, Kind, Signature, memory_of
from bridge.virtual.heap.prices import Prices
from bridge.virtual.heap.sizes import FLOAT_51, FLOAT_53, INTEGER_51, Sizes, block, price_of, sizes_of
from bridge.virtual.heap.state import LuaState
from bridge.virtual.lua.chunk import BadChunk, parse
from bridge.virtual.lua.chunk import Proto as Chunk
from bridge.virtual.sdk.kernel import OutOfHeap

#: Objects and strings that the chip's VM has in RAM after boot, and what Lua counts for them in bytes (mem_base).
_BOOT_OBJECTS, _BOOT_STRINGS = 100, 100
_BOOT_STRING_BYTES, _STRING_HEAD = 2700, 17
_BOOT_COUNT = {FLOAT_51: 4834, FLOAT_53: 4600, INTEGER_51: 4082}
#: What the console's line takes that asks a fresh board for `node.heap()`, so that it answers `VirtualOptions.heap`;
#: on 5.3 with the garbage that booting leaves.
_ASKING = {FLOAT_51: 504, FLOAT_53: 620, INTEGER_51: 504}
#: Longest string that 5.3 keeps once only (LUAI_MAXSHORTLEN).
_SHORT_STRING = 40
#: A pipe keeps its bytes in userdata of this size (app/modules/pipe.c).
_PIPE_CHUNK = 264
#: What is free after an allocation was refused, in bytes; half as much each time that nothing was freed in between.
_LEFT_OVER = 3000
#: What the VM here takes around the call that sets a limit, in bytes.
_UNNOTICED = 2000
#: Bytes that undumping needs besides what it loads.
_UNDUMP_EXTRA = 100
_Found = tuple[list[tuple[int, int]], list[tuple[int, int]]]


class HeapModel:
    """Implements `bridge.virtual.sdk.kernel.Heap`.

    Args:
        size: bytes that a fresh board's console answers to `=node.heap()`.
        lua: the VM.
        number: "integer" or "float".
    """

    def __init__(self, size: int, lua: LuaState, number: str) -> None:
        self.sizes = sizes_of(lua.version, number)
        self._size = size + _ASKING[self.sizes]
        self._lua = lua
        self._memory = memory_of(lua.version, lua.state_address())
        self._memory.learn_dummy()
        self._price_object = Prices(self._memory, lua).price
        self._claimed = 0
        self._lent = self._refused = 0
        self._settled = False
        self._bare = replace(self.sizes, bare=True)
        self._allocations = Allocations(lua.version, self._memory, self.sizes, self._price_object)
        # Objects of the VM's own: those behind the anchor in the list of all, and by address, with their signatures,
        # those of other lists.
        self._old: dict[int, Signature] = {}
        self._old_cells: set[int] = set()
        self._old_globals = 0
        self._global_nodes = 0
        self._boot_strings = 0
        #: Objects alive at the last look, the firmware's own included.
        self.objects = _BOOT_OBJECTS
        #: True looks at everything before each chunk is loaded, so that `lowest` is exact; slow, for measuring.
        self.exact = False
        #: Least free bytes since this was last set, peaks of compiling included.
        self.lowest = self._size
        #: Told each time how many bytes are free.
        self.told: Callable[[int], None] = lambda free: None
        #: Bytes that Lua has taken since the last look, less what its collector freed: where it runs by the model.
        self.unseen = 0.0
        # What the VM counted at the last look, and the bytes that were free then.
        self._seen_count = self._memory.count()
        self._seen_free = self._size
        # Until the VM here holds more than this, nothing has been taken since a limit was set.
        self._stepped = 0

    def settle(self) -> None:
        """What lives now is the firmware's own; C's claims so far are in the free bytes after boot, too."""
        self._lua.collect()
        self._allocations.anchor = frozenset((self._lua.anchor(),))
        memory = self._memory
        self._old = {
            address: signature for first in memory.lists()[1:] for address, _, signature in memory.signed(first)
        }
        self._old |= {address: signature for address, _, signature in memory.strings()}
        self._boot_strings = sum(memory.mark()[len(memory.lists()) :])
        self._old_cells = {
            cell
            for first in memory.lists()
            for address, kind in memory.chain(first)
            if kind == Kind.FUNCTION
            for cell in memory.closure(address)[2]
        }
        self._global_nodes = 0
        self._old_globals = self._price_globals(self.sizes)
        self._claimed = 0
        self._settled = True
        self._look()
        self.lowest = self._seen_free

    def claim(self, size: int) -> int:
        """Take a block for C.

        Raises:
            OutOfHeap: it does not fit.
        """
        taken = block(size)
        if not self._has(taken):
            raise OutOfHeap
        self._claimed += taken
        self._seen_free -= taken
        self.saw(self.left)
        return taken

    def release(self, taken: int) -> None:
        """Give back what `claim` returned."""
        self._claimed -= taken
        self._seen_free += taken

    def free(self) -> int:
        """Free bytes as `node.heap()` answers.

        Where the collector runs before every allocation there is no garbage; elsewhere there is as much as the model
        of the chip's collector says.
        """
        if self._lua.collects_always():
            return max(0, self._exact())
        self._lua.look()
        return max(0, self.left)

    @property
    def left(self) -> int:
        """Free bytes at the last look at the VM, as far as they are known without another."""
        return int(self._seen_free - self.unseen)

    def count(self) -> int:
        """Bytes of Lua's objects as `collectgarbage("count")` counts them."""
        if self._lua.collects_always():
            self._lua.collect()
            return self._count(self._bare)
        return self._lua.look()

    def stock(self) -> Stock:
        """What the VM holds now, all of it taken for alive: call it behind a collection."""
        self.unseen = 0.0
        found = self._gather()
        self._look(found)
        strings = [self._memory.string_length(address) for address, kind in found[0] if kind == Kind.STRING]
        strings += [length for _, length in found[1]]
        return Stock(
            self._count(self._bare, found),
            _BOOT_STRING_BYTES + sum(strings) + _STRING_HEAD * len(strings),
            _BOOT_STRINGS + len(strings),
            self.objects - len(strings),
        )

    def step(self) -> bool:
        """True while memory is left; cheap as long as there is enough.

        The chip refuses the one allocation that does not fit, often a large one, and goes on with what is left. Here
        the program has gone too far when that is noticed; what it took too much is lent to it until it frees memory.
        One that frees nothing gets less each time: it has what the chip's has in the end, next to nothing.
        """
        if self._lua.collects_always():
            if self._estimate() > 0 or self._exact() > 0:
                return True
            self._lend(self._seen_free)
            return False
        count = self._memory.count()
        if count <= self._stepped:
            return True
        self._stepped = 0
        if self._lua.fits(0):
            return True
        self._lend(self.left)
        return False

    def limited(self) -> None:
        """The collector's mode changes: a new limit refuses what is taken from now on, not what is there."""
        self._stepped = self._memory.count() + _UNNOTICED

    def _lend(self, free: int) -> None:
        """Let the program go on that has gone too far."""
        size = (_LEFT_OVER >> self._refused) - free
        self._refused += 1
        self._lent += size
        self._seen_free += size

    def loading(self, source_size: int, dump: bytes | None, proto: Chunk | None = None) -> None:
        """A chunk is about to be loaded: its peak must fit.

        Args:
            source_size: bytes of source, 0 for a precompiled chunk.
            dump: the precompiled chunk, or None.
            proto: what the source compiles to with all debug information; None if it does not compile.

        Raises:
            OutOfHeap: it does not fit.
        """
        sizes = self.sizes
        factor, extra = sizes.compile_factor, sizes.compile_extra
        if proto is None and dump is not None:
            factor, extra = 1.0, _UNDUMP_EXTRA
            try:
                proto = parse(dump, self._lua.version)
            except BadChunk:
                return
        peak = extra + (source_size if proto is None else int(self.price_of(proto) * factor))
        if self.exact:
            self.free()
        if self._lua.collects_always() or not self._settled:
            if peak > self._estimate() and peak > self._exact():
                raise OutOfHeap
        elif not self._lua.fits(peak):
            raise OutOfHeap
        self.saw(self.left - peak)

    def price_of(self, proto: Chunk) -> int:
        """Bytes that a chunk takes with its strings and the functions within, as it stands."""
        return price_of(self.sizes, proto)

    def host_count(self) -> int:
        """Bytes that the VM has in this process; cheap."""
        return self._memory.count()

    def saw(self, free: int) -> None:
        """So many bytes were free for a moment."""
        self.lowest = min(self.lowest, free)
        self.told(free)

    def mark(self) -> Mark:
        """Where allocation stands now, for `allocations` and `allocated`."""
        return self._allocations.mark()

    def allocations(self, mark: Mark) -> int:
        """Blocks allocated since a mark."""
        return self._allocations.blocks(mark)

    def allocated(self, mark: Mark, *, apart: int = -1) -> Allocated:
        """Bytes and blocks allocated since a mark, without one string of `apart` bytes."""
        return self._allocations.since(mark, apart=apart)

    def count_objects(self) -> int:
        """Objects alive, garbage included, about as many as the chip's collector would visit."""
        memory = self._memory
        strings = max(0, sum(memory.mark()[len(memory.lists()) :]) - self._boot_strings)
        self.objects = _BOOT_OBJECTS + self._allocations.count_new() + strings
        return self.objects

    def _has(self, size: int) -> bool:
        """True if C can take so many bytes: nothing is collected for C."""
        if self._lua.collects_always() or not self._settled:
            return size <= self._estimate() or size <= self._exact()
        return size <= self.left - max(0, self._memory.count() - self._seen_count) or size <= self.free()

    def _exact(self) -> int:
        self._lua.collect()
        return self._look()

    def host_alive(self) -> int:
        """Bytes of objects that the VM has in this process: call it behind a collection."""
        return self._memory.count() - self._memory.own()

    def shift(self, taken: float) -> None:
        """So many bytes more are alive than at the last look, as far as is known without another."""
        self._seen_free -= int(taken)
        self.unseen = 0.0
        self.saw(self._seen_free)

    def look(self) -> None:
        """See how much is free, garbage taken for alive; call it behind a collection."""
        self._look()

    def _look(self, found: _Found | None = None) -> int:
        """Price everything; the bytes that are free."""
        left = self._size - self._claimed - self._price(self.sizes, found or self._gather())
        # What was lent is given back as memory comes free, so that never more seems to be free than was left over.
        self._lent = max(0, min(self._lent, _LEFT_OVER - left))
        if left >= _LEFT_OVER:
            self._refused = 0
        self._seen_free = left + self._lent
        self._seen_count = self._memory.count()
        self.saw(self._seen_free)
        return self._seen_free

    def _estimate(self) -> int:
        """Free bytes at least: objects are never larger on the chip than here."""
        if not self._settled:
            return self._size
        return self._seen_free - max(0, self._memory.count() - self._seen_count)

    def _count(self, bare: Sizes, found: _Found | None = None) -> int:
        return _BOOT_COUNT[self.sizes] + self._price(bare, found or self._gather())

    def _gather(self) -> _Found:
        """Objects that are not the firmware's own, and address and length of strings that are in no list."""
        memory = self._memory
        first, *others = memory.lists()
        found = list(memory.chain(first, self._allocations.anchor))
        strings: list[tuple[int, int]] = []
        old, alive = self._old, []
        for other in others:
            for address, kind, signature in memory.signed(other):
                if old.get(address) == signature:
                    alive.append(address)
                else:
                    found.append((address, kind))
        for address, length, signature in memory.strings():
            if old.get(address) == signature:
                alive.append(address)
            else:
                strings.append((address, length))
        if len(alive) < len(old):
            self._old = {address: old[address] for address in alive}
        self.objects = _BOOT_OBJECTS + len(found) + len(strings)
        return found, strings

    def _price(self, sizes: Sizes, found: _Found) -> int:
        memory = self._memory
        objects, apart = found
        total = sum(sizes.string(length) for _, length in apart)
        strings = len(apart)
        cells: set[int] = set()
        for address, kind in objects:
            if kind == Kind.STRING:
                strings += 1
                total += sizes.string(memory.string_length(address))
            else:
                total += self._price_object(sizes, address, kind, cells)
        cells.update(memory.open_upvalues(memory.main))
        total += self._price_chunks(sizes)
        total += len(cells - self._old_cells) * sizes.upvalue_cell()
        total += self._price_stack(sizes)
        return total + self._price_globals(sizes) - self._old_globals + _string_table(sizes, _BOOT_STRINGS + strings)

    def _price_chunks(self, sizes: Sizes) -> int:
        """What pipes keep takes, beyond the empty objects and the strings that are here in its place."""
        texts = self._lua.pipe_chunks()
        here = sizes.userdata_block(0) if self._memory.counts_strings_apart else sizes.table(0, 0)
        # Equal texts are one string, save long ones on 5.3.
        shared = {text for text in texts if self._memory.counts_strings_apart or len(text) <= _SHORT_STRING}
        strings = [*shared, *(text for text in texts if text not in shared)]
        chunks = len(texts) * (sizes.userdata_block(_PIPE_CHUNK) - here)
        return chunks - sum(sizes.string(len(text)) for text in strings)

    def _price_stack(self, sizes: Sizes) -> int:
        """What the main thread's stack takes where calls are nested deeply."""
        stack, calls = self._memory.thread(self._memory.main)
        deep, deep_calls = max(0, stack - FLAT_STACK), max(0, calls - FLAT_CALLS)
        return sizes.block(deep * sizes.value) + sizes.block(deep_calls * sizes.call) if deep else 0

    def _price_globals(self, sizes: Sizes) -> int:
        """The table of globals: the host's has kept the size it had with all libraries in it."""
        entries = self._memory.entries(self._memory.global_table())
        self._global_nodes = max(self._global_nodes, _power_of_two(entries))
        return sizes.table(0, self._global_nodes)


def _string_table(sizes: Sizes, strings: int) -> int:
    """What the string table has grown by since boot: it doubles whenever it is full."""
    start = _power_of_two(_BOOT_STRINGS)
    return sizes.block(4 * max(start, _power_of_two(strings))) - sizes.block(4 * start)


def _power_of_two(least: int) -> int:
    return 1 << max(0, least - 1).bit_length()
