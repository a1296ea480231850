"""Plain stand-ins for the heap and cost models: a share of what the VM itself counts, and fixed costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.virtual.sdk.kernel import OutOfHeap

if TYPE_CHECKING:
    from bridge.virtual.sdk.system import System


class CountedCosts:
    """Costs at 80 MHz in microseconds, until a board has been measured."""

    def instructions(self, count: int) -> float:
        """So many VM instructions."""
        return 1.2 * count

    def c_calls(self, count: int) -> float:
        """So many calls of functions of the firmware."""
        return 6.0 * count

    def copied(self, size: int) -> float:
        """So many bytes moved."""
        return 0.05 * size


class CountedHeap:
    """A heap that counts what C claims, and estimates Lua's share from the VM's own count."""

    def __init__(self, size: int, system: System) -> None:
        self._size = size
        self._system = system
        self._claimed = 0
        self._base = self._count()

    def _count(self) -> float:
        return float(self._system.lua.board[b"kilobytes"]()) * 1024

    def settle(self) -> None:
        """What lives now is the firmware's own."""
        self._system.lua.collect()
        self._base = self._count()

    def claim(self, size: int) -> int:
        """Take a block for C."""
        taken = (size + 8 + 7) & ~7
        if taken > self.free():
            raise OutOfHeap
        self._claimed += taken
        return taken

    def release(self, taken: int) -> None:
        """Give a block back."""
        self._claimed -= taken

    def free(self) -> int:
        """Free bytes."""
        self._system.lua.collect()
        return self._left()

    def _left(self) -> int:
        return int(self._size - self._claimed - (self._count() - self._base) / 1.6) & ~7

    def step(self) -> bool:
        """True while memory is left."""
        return self._left() > 0 or self.free() > 0

    def loading(self, source_size: int, dump: bytes | None) -> None:
        """Refuse a chunk that needs more than there is."""
        need = source_size * 4 if dump is None else len(dump) * 2
        if need > self.free():
            raise OutOfHeap
