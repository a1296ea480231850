"""The collector outside of 5.1's mode ALWAYS: when it works, what that costs, and when the host's VM is collected.

The host's own collector is stopped. What Lua allocated is counted, a model of the chip's collector
(`bridge.virtual.heap.collector`) says what it does with that, and the VM is collected where the model's mark phase ends
or a full collection runs. Where a look at the VM spans more than one such moment, what died is taken to have died
evenly. Collector modes: app/lua/lauxlib.c `l_alloc`, app/lua53/lmem.c `luaM_realloc_`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.virtual.heap.allocated import Allocated, Mark
from bridge.virtual.heap.collector import Collector, Done, Stock

if TYPE_CHECKING:
    from bridge.virtual.cost import CostModel
    from bridge.virtual.heap.model import HeapModel
    from bridge.virtual.lua.runtime import Runtime

#: Bits of the collector's mode (app/lua/legc.h).
EGC_ON_ALLOC_FAILURE, EGC_ON_MEM_LIMIT, EGC_ALWAYS = 1, 2, 4
#: What each run of Lua code allocates here only, by version.
_RUN = {"5.1": Allocated(236, 304, 8, 450), "5.3": Allocated(124, 160, 4, 250)}
#: What the allocator takes for a byte that Lua counts, until it is known.
_TAKEN = 1.35
#: Bytes of a block, on average.
_BLOCK = 60
#: Bytes below a positive limit that are left when an allocation was refused.
_LEFT_OVER = 1000
#: Bytes of this process by which what is alive may change, and how often, until everything is looked at again.
_LITTLE, _BY_COUNTER = 3000, 20
#: Bytes of this process after which the VM is collected whatever the model says, so that the host's memory is bounded.
_HOST_BYTES = 16 << 20


class Collecting:
    """Runs the model beside one VM. All bytes are the chip's.

    Args:
        lua: the VM.
        heap: knows what was allocated.
        costs: what a collection costs.
        charge: takes microseconds at 80 MHz.
        told: called after collections with how many full ones, how many incremental cycles, and the microseconds.
    """

    def __init__(
        self,
        lua: Runtime,
        heap: HeapModel,
        costs: CostModel,
        charge: Callable[[float], None],
        told: Callable[[float, float, float], None],
    ) -> None:
        self._lua = lua
        self._heap = heap
        self._costs = costs
        self._charge = charge
        self._told = told
        self.model = Collector(lua.version)
        self._mode, self._limit = EGC_ON_ALLOC_FAILURE, 0
        self._on = self._busy = False
        self._mark: Mark = ()
        self._room = 0.0
        self._runs = 0
        self._owed = Allocated()
        # At the last stock: what was alive, and this process's count; since then: what was allocated.
        self._alive = 0.0
        self._host = 0
        self._since = Allocated()
        self._ratio = _TAKEN
        # While one look is worked off: what died since the last stock, and what of it the model knows.
        self._died: float | None = None
        self._known = 0.0
        # Bytes that were dead at the last stock and are still to be found by the model's next mark.
        self._carried = 0.0
        self._message: bytes | None = None
        self._lent = 0.0
        # The last exact stock, this process's bytes then, how many were not exact since, and by how much they differ.
        self._exact = self._stock = Stock(0.0, 0.0, 0, 0)
        self._exact_host = self._by_counter = 0
        self._shifted = 0.0
        self._host_ratio = 1.0

    @property
    def on(self) -> bool:
        """True while collections are by the model."""
        return self._on

    def start(self, mode: int, limit: int) -> None:
        """The mode begins: all that is alive is known."""
        self._mode, self._limit = mode, limit
        self._on = True
        self._runs, self._owed = self._lua.runs, Allocated()
        self._since = Allocated()
        self._busy = True  # the count hook may look while the host collects, before there is anything to compare with
        try:
            self._clean()
        finally:
            self._busy = False
        self.model.full(self._alive)
        self._after()

    def set_mode(self, mode: int, limit: int) -> None:
        """The mode changes to another of these."""
        self.look()
        self._mode, self._limit = mode, limit
        self._after()

    def stop(self) -> None:
        """Another mode begins."""
        self._on = False
        self._heap.unseen = 0.0

    def begin(self) -> None:
        """Lua begins to run in this task: what the board itself did to the VM before is not the program's."""
        self._runs = self._lua.runs - 1
        self._owed = Allocated()
        self._remember()

    def look(self, *, closely: bool = True) -> None:
        """Work off what was allocated.

        Args:
            closely: False looks only at the counter while nothing can be due.
        """
        if self._busy or not self._on or not self._lua.ran:
            return
        if self._lua.closed or (not closely and self._heap.host_count() - self._mark[0] < self._room):
            return
        self._busy = True
        try:
            self._work_off(self._new())
        finally:
            self._busy = False
            self._after()
        if self._heap.host_count() - self._host > _HOST_BYTES:
            self._tidied()

    def forget(self) -> None:
        """What was allocated since the last look was not the program's."""
        if self._on:
            self._remember()

    def loaded(self, size: int) -> None:
        """A chunk was loaded since `forget`, from a string of so many bytes that the chip does not have."""
        if self._on and not self._busy:
            self._busy = True
            try:
                new = self._heap.allocated(self._mark, apart=size)
                self._remember()
                self._work_off(new)
            finally:
                self._busy = False
                self._after()

    def full(self) -> bytes | None:
        """A full collection, by the program or for lack of memory; what a finalizer raised, or None."""
        if not self.model.running and self._lua.version == "5.1":
            return None
        self.look()
        message = self._clean()
        self.model.full(self._alive)
        self._pay(Done(full=1))
        self._after()
        return message

    def tidy(self) -> bytes | None:
        """Collect the VM without a collection on the chip; what a finalizer raised, or None."""
        self.look()
        return self._tidied()

    def _tidied(self) -> bytes | None:
        self._carried = self._dead(0.0)
        self._end_stock()
        self._after()
        return self._message

    def fits(self, size: int) -> bool:
        """True if Lua can take more than so many bytes, after an emergency collection if the mode has it.

        What is taken is given back soon (a compiler's need): while the free heap is below the limit meanwhile, each
        allocation is preceded by a full collection.
        """
        heap = self._heap
        limit = self._low if size else 0
        if size + limit < heap.left - max(0, heap.host_count() - self._mark[0]) and not self._over():
            return True
        self.look()
        if size >= heap.left - limit or self._over():
            if limit or self._over() or self._emergency:
                self.full()
            low = min(size, size - (heap.left - limit))
            if limit and low > 0:
                self._pay(Done(full=low // _BLOCK))
        if self._over():
            # The chip refused the one allocation that went too far; what was taken here is lent until it is freed.
            self._lent = self.model.total - self._limit + _LEFT_OVER
            return False
        return size < heap.left

    @property
    def _low(self) -> int:
        """Free bytes below which each allocation is preceded by a full collection."""
        return -self._limit if self._limits and self._limit < 0 else 0

    @property
    def _emergency(self) -> bool:
        """True if an allocation that fails is tried again after a full collection."""
        return self._lua.version != "5.1" or bool(self._mode & EGC_ON_ALLOC_FAILURE)

    @property
    def _limits(self) -> bool:
        return bool(self._mode & EGC_ON_MEM_LIMIT) and self._lua.version == "5.1"

    def _over(self) -> bool:
        """True if a positive limit is reached (`l_check_memlimit`): Lua may allocate nothing."""
        return self._limits and 0 < self._limit <= self.model.total - self._lent

    def step(self, kilobytes: int) -> bool:
        """`collectgarbage("step")`: True if it ended a cycle."""
        self.look()
        ended, done = self.model.step(kilobytes, lambda: self._dead(0.0))
        self._pay(done)
        self._end_stock()
        self._after()
        return ended

    @property
    def total(self) -> int:
        """Bytes that Lua has allocated, as it counts them."""
        return int(self.model.total)

    # -- one look ---------------------------------------------------------------------------------------------------

    def _new(self) -> Allocated:
        owed = self._owed.plus(_RUN[self._lua.version], self._lua.runs - self._runs)
        self._runs = self._lua.runs
        found = self._heap.allocated(self._mark)
        # A run allocates when it begins and when it ends: what is not used up yet is for later.
        new, self._owed = found.less(owed), owed.less(found)
        self._remember()
        return new

    def _work_off(self, new: Allocated) -> None:
        if new.bare <= 0:
            return
        self._since = self._since.plus(new)
        if self._since.bare > 256 and self._since.host > 0:
            self._ratio = self._since.taken / self._since.bare
            self._host_ratio = min(1.0, self._since.bare / self._since.host)
        # Where nothing is left after an emergency collection the allocation fails, and none follows.
        blocks = new.blocks if self._limits else 1.0
        done = self.model.allocate(new.bare, self._dead, blocks, self._ceiling())
        self._end_stock()
        self._pay(done)

    def _dead(self, left: float) -> float:
        """What has died and is not known yet when so much of this look's bytes is still to come."""
        if self._died is None:
            alive = self._alive
            self._message = self._clean(keep=True)
            self._died = max(0.0, alive + self._since.bare - self._alive)
            self._known = 0.0
        whole = self._since.bare
        died = self._died * (whole - left) / whole if whole > 0 else self._died
        fresh, self._known = max(0.0, died - self._known), max(died, self._known)
        carried, self._carried = self._carried, 0.0
        return fresh + carried

    def _end_stock(self) -> None:
        """The VM holds no garbage now; what the model has not found yet it finds at its next mark."""
        if self._died is None:
            return
        self._carried += max(0.0, self._died - self._known)
        self._died = None
        self._since = Allocated()
        self.model.take(self._stock, self._carried)

    def _clean(self, *, keep: bool = False) -> bytes | None:
        """Collect the VM and look at what it holds."""
        message = self._lua.collect()
        self._take_stock(exactly=not keep)
        self._alive = self._stock.total
        self._lent = self._lent if self._alive >= self._limit else 0.0
        self._host = self._heap.host_count()
        self._remember()
        if not keep:
            self._carried = 0.0
            self._since = Allocated()
            self.model.condemned = 0.0
            self.model.take(self._stock)
        return message

    def _take_stock(self, *, exactly: bool) -> None:
        """See what is alive: by the VM's counter where little has changed, else by a look at everything."""
        heap = self._heap
        host = heap.host_alive()
        change = host - self._exact_host
        if exactly or abs(change) > _LITTLE or self._by_counter >= _BY_COUNTER:
            self._by_counter = 0
            self._exact = self._stock = heap.stock()
            self._exact_host, self._shifted = host, 0.0
            return
        self._by_counter += 1
        bare = change * self._host_ratio
        self._stock = replace(self._exact, total=self._exact.total + bare)
        heap.shift(bare * self._ratio - self._shifted)
        self._shifted = bare * self._ratio

    def _ceiling(self) -> float:
        """Total from which on each allocation is preceded by a full collection: by the limit, or in an emergency."""
        if self._limits and self._limit > 0:
            return self._limit + self._lent
        if self._low or self._emergency:
            return self.model.total + (self._heap.left - self._low) / self._ratio
        return float("inf")

    def _remember(self) -> None:
        self._mark = self._heap.mark()

    def _after(self) -> None:
        self._heap.unseen = max(0.0, self.model.total - self._alive) * self._ratio
        self._heap.saw(self._heap.left)
        self._room = max(0.0, min(self.model.due(self._ceiling()), self._heap.left))

    def _pay(self, done: Done) -> None:
        if not done.full and not done.cycles:
            return
        cost = self._costs.collection(self._heap.objects) * (done.full + done.cycles)
        self._charge(cost)
        self._told(done.full, done.cycles, cost)
