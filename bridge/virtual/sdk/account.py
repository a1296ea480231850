"""What Lua's work costs a task: instructions, calls of the firmware, and collections.

Those of 5.1's mode ALWAYS are charged here, one for each block; those of the other modes are `collecting`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.virtual.sdk.collecting import EGC_ALWAYS, Collecting

if TYPE_CHECKING:
    from bridge.virtual.cost import CostModel
    from bridge.virtual.heap.model import HeapModel
    from bridge.virtual.lua.runtime import Runtime

#: VM instructions with which a function of the firmware is wrapped here; the chip calls it without any.
_CALL_INSTRUCTIONS = 10
#: VM instructions of the count hook itself.
_LOOK_INSTRUCTIONS = 26
#: Blocks that are allocated here only: to run a callback under protection, and by a look of the count hook.
_RUN_ALLOCATIONS, _LOOK_ALLOCATIONS = 13, 1
#: After so many allocations the live objects are counted anew.
_RECOUNT = 200
#: Compiling costs so much per byte of source, at 80 MHz (stock-firmware: several ms for a line of 200 characters).
_COMPILE_US_PER_BYTE = 15.0
_UNDUMP_US_PER_BYTE = 1.0


class Account:
    """Adds up what the VM did since it was last asked, and charges the CPU with it.

    Args:
        lua: the VM.
        heap: knows what was allocated.
        costs: what things cost.
        charge: takes microseconds at 80 MHz.
        free: True when computing costs nothing.
        told: called after collections with how many full ones, how many incremental cycles, and the microseconds.
    """

    def __init__(
        self,
        lua: Runtime,
        heap: HeapModel,
        costs: CostModel,
        charge: Callable[[float], None],
        *,
        free: bool,
        told: Callable[[float, float, float], None] = lambda full, cycles, microseconds: None,
    ) -> None:
        self._lua = lua
        self._heap = heap
        self._costs = costs
        self._charge = charge
        self._free = free
        self._called = self._looked = 0
        # Where the heap stood when allocations were last charged, and blocks since the last recount.
        self._mark: tuple[int, ...] | None = None
        self._allocated = 0
        self._runs = self._looks = self._excused = 0
        #: Instructions and blocks charged since boot.
        self.instructions = self.allocations = 0
        self._told = told
        self._mode, self._limit = EGC_ALWAYS, 0
        #: The collector in the other modes.
        self.collecting = Collecting(lua, heap, costs, self._pay, told)
        # Until the collector starts nothing is charged, and the heap is what the VM really holds.
        self._started = False
        #: True in collector mode ALWAYS: there is never any garbage.
        self.always = True

    def start(self, mode: int, limit: int) -> None:
        """The collector starts in a mode (5.1's, app/lua/legc.h), with its limit in bytes."""
        self._started = True
        self._lua.set_manual_collector(True)
        self.collecting.stop()
        self.set_mode(mode, limit)

    def set_mode(self, mode: int, limit: int) -> None:
        """The collector's mode changes."""
        self._mode, self._limit = mode, limit
        always = bool(mode & EGC_ALWAYS) and self.collecting.model.running
        if always:
            self.collecting.stop()
            if not self.always:
                self._lua.collect()
            self._mark = self._heap.mark()
        elif self.collecting.on and not self.always:
            self.collecting.set_mode(mode, limit)
        else:
            self.collecting.start(mode, limit)
        self.always = always

    def block(self, *, blocked: bool) -> None:
        """`collectgarbage("stop")`, or "restart"."""
        self.collecting.model.running = not blocked
        self.set_mode(self._mode, self._limit)

    def _pay(self, microseconds: float) -> None:
        if not self._free:
            self._charge(microseconds)

    def begin(self) -> None:
        """Lua begins to run in this task: what the board itself did to the VM before is not the chip's time."""
        self._lua.instructions()
        self._called = self._looked = self._looks = self._excused = 0
        self._runs = self._lua.runs - 1
        if self.collecting.on:
            self.collecting.begin()
        elif self._mark is not None:
            self._mark = self._heap.mark()

    def called(self) -> None:
        """A function of the firmware was called."""
        self._called += 1
        self._charge(self._costs.c_calls(1))

    def looked(self) -> None:
        """The count hook ran."""
        self._looks += 1
        self._looked += 1

    def copied(self, size: int) -> None:
        """So many bytes were moved."""
        self._charge(self._costs.copied(size))

    def loading(self, source_size: int, dump: bytes | None) -> None:
        """A chunk is compiled, or undumped."""
        self._charge(source_size * _COMPILE_US_PER_BYTE if dump is None else len(dump) * _UNDUMP_US_PER_BYTE)

    def settle(self) -> None:
        """Charge what has not been charged yet."""
        if not self._lua.ran or self._lua.closed:
            return
        # First of all, because asking the VM for anything allocates too.
        self.collecting.look(closely=False)
        allocated = self._allocations()
        count = self._lua.instructions() - _CALL_INSTRUCTIONS * self._called - _LOOK_INSTRUCTIONS * self._looked
        self._called = self._looked = 0
        if count > 0:
            self.instructions += count
            self._charge(self._costs.instructions(count))
        if allocated is not None:
            self._charge_allocations(allocated)

    def _allocations(self) -> int | None:
        """Blocks allocated since the mark, or None when they cost nothing."""
        if self._mark is None or not self.always or self._free:
            return None
        return self._heap.allocations(self._mark)

    def _charge_allocations(self, count: int) -> None:
        self._excused += _RUN_ALLOCATIONS * (self._lua.runs - self._runs) + _LOOK_ALLOCATIONS * self._looks
        self._runs, self._looks = self._lua.runs, 0
        # A run allocates when it begins and when it ends: what is not used up yet is for later.
        excused = min(count, self._excused)
        self._excused -= excused
        count -= excused
        self._allocated += count
        self.allocations += count
        cost = count * self._costs.collection(self._heap.objects)
        self._charge(cost)
        self._told(count, 0, cost)
        self._mark = self._heap.mark()

    def end(self) -> None:
        """The task ends."""
        self.collecting.look()
        self.settle()
        self._lua.ran = False
        if self.always and (self._lua.objects.loose or self._allocated >= _RECOUNT):
            self.collect()

    def collect(self) -> bytes | None:
        """Let go of what is dead, at no cost; what a finalizer raised, or None."""
        self.settle()
        if self.collecting.on:
            return self.collecting.tidy()
        message = self._lua.collect()
        if self._allocated >= _RECOUNT:
            self._allocated = 0
            self._heap.count_objects()
            self._heap.look()
        if self._mark is not None:
            self._mark = self._heap.mark()
        return message

    def asked_to_collect(self) -> bytes | None:
        """The full collection that a program asked for, with its cost; what a finalizer raised, or None."""
        if self.collecting.on:
            return self.collecting.full()
        message = self.collect()
        if not self._free:
            self._allocated = 0
            self._heap.look()
            cost = self._costs.collection(self._heap.count_objects())
            self._charge(cost)
            self._told(1, 0, cost)
            if self._mark is not None:
                self._mark = self._heap.mark()
        return message

    def compiling(self) -> None:
        """A chunk is about to be compiled or undumped: what the host does for that is not the chip's."""
        if self._lua.ran:
            self.collecting.look()

    def loaded(self, size: int) -> None:
        """It was loaded, from a string of so many bytes that is here only."""
        self.collecting.loaded(size)
