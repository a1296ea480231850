"""When the chip's own collector works, and what it has freed: the incremental collector of stock Lua, in bytes.

It sees no objects, only how many bytes were allocated and, where a mark phase ends, how many of them were dead.
Sources: app/lua/lgc.c (`luaC_step`, `singlestep`, `setthreshold`), app/lua/lapi.c (`lua_gc`), app/lua53/lgc.c.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

#: LUAI_GCPAUSE and LUAI_GCMUL of both versions.
PAUSE, STEP_MULTIPLIER = 110, 200
#: Bytes of a dead object, on average, to guess how many there are to sweep.
_DEAD_OBJECT = 44
#: Bytes of the smallest object.
_LEAST = 20
_WRAP, _LARGEST_53 = 1 << 32, (1 << 31) - 1


class Phase(Enum):
    """What the collector does next."""

    PAUSE = 0
    MARK = 1
    SWEEP = 2


@dataclass(frozen=True)
class Pace:
    """Work of one version's collector, in the unit that its steps count (a byte traversed, or what a sweep costs)."""

    #: GCSTEPSIZE: bytes between two steps, and what an object and a slot of the string table cost to sweep.
    step_size: int
    sweep_object: int
    string_slot: int
    #: True if strings are marked and swept like other objects (5.3).
    strings_are_objects: bool


PACE_51 = Pace(1024, 10, 10, False)
PACE_53 = Pace(1600, 5, 4, True)


@dataclass(frozen=True)
class Stock:
    """What is alive, in bytes as Lua counts them itself."""

    total: float
    #: Of these, strings; and how many strings and other objects there are.
    string_bytes: float
    strings: int
    objects: int


@dataclass
class Done:
    """What one call of `Collector.allocate` did: incremental cycles by their work, and full collections."""

    cycles: float = 0.0
    cycles_ended: int = 0
    full: float = 0.0
    #: True if a mark phase ended or a full collection ran: what was dead by then is gone.
    collected: bool = False


class Collector:
    """The collector's state.

    Args:
        version: "5.1" or "5.3".
    """

    def __init__(self, version: str) -> None:
        self._is_51 = version == "5.1"
        self._pace = PACE_51 if self._is_51 else PACE_53
        #: `collectgarbage("setpause")` in percent, and "setstepmul".
        self.pause, self.multiplier = PAUSE, STEP_MULTIPLIER
        #: False after `collectgarbage("stop")`.
        self.running = True
        self.phase = Phase.PAUSE
        #: Bytes allocated (`totalbytes`), what was alive at the last mark, and where the next step is due.
        self.total = self.estimate = self.threshold = 0.0
        #: Dead bytes that the sweep in work will free.
        self.condemned = 0.0
        self._stock = Stock(0.0, 0.0, 0, 0)
        # Work that is left in this phase, and the share of the cycle that a unit of it is.
        self._work = self._share = self._swept_share = 1.0

    def take(self, stock: Stock, garbage: float = 0.0) -> None:
        """What is alive now, besides `garbage` bytes that the next mark will find dead."""
        self._stock = stock
        self.total = stock.total + garbage + self.condemned

    def full(self, alive: float) -> None:
        """A full collection ran (`luaC_fullgc`) and left so many bytes."""
        self.condemned = 0.0
        self.total = self.estimate = alive
        self._rest()

    def due(self, ceiling: float) -> float:
        """Bytes that can be allocated before anything happens.

        Args:
            ceiling: total at which each allocation is preceded by a full collection.
        """
        return min(self.threshold, ceiling) - self.total if self.running else float("inf")

    def allocate(self, size: float, dead: Callable[[float], float], blocks: float, ceiling: float) -> Done:
        """So many bytes are allocated, one after the other.

        Args:
            size: bytes.
            dead: told how many of the bytes are still to come, it answers how many bytes have died and were not yet
                answered. Called where a mark ends.
            blocks: allocations that the bytes are.
            ceiling: total from which on each allocation is preceded by a full collection.

        Returns:
            What the collector did.
        """
        done = Done()
        left, block = size, size / max(1.0, blocks)
        least = 0.0
        while left > 0:
            room = max(least, self.due(ceiling))
            if room >= left:
                break
            if room > 0:
                # The boundary itself, not a sum that may miss it by a rounding.
                self.total = max(self.total + least, min(self.threshold, ceiling))
                left -= room
            least = 0.0
            if self.total >= ceiling:
                self.full(max(0.0, self.total - self.condemned - dead(left)))
                done.collected = True
                if self.total >= ceiling:
                    done.full += max(1.0, blocks * left / size)
                    self.full(max(0.0, self.total + left - dead(0.0)))
                    return done
                done.full += 1
                # Between two full collections there is an allocation at least.
                least = block
                continue
            self._step(lambda left=left: dead(left), done)  # type: ignore[misc]
        self.total += left
        return done

    def step(self, kilobytes: int, dead: Callable[[], float]) -> tuple[bool, Done]:
        """`collectgarbage("step", kilobytes)`: True if it ended a cycle."""
        done = Done()
        if self._is_51 and not self.running:
            return True, done
        for _ in range(1 + max(0, kilobytes) * 1024 // self._pace.step_size):
            self._step(dead, done)
            if done.cycles_ended:
                return True, done
        return False, done

    def _step(self, dead: Callable[[], float], done: Done) -> None:
        """`luaC_step`."""
        if self.phase is Phase.PAUSE:
            self._begin()
        every, work = self._pace_of_steps()
        while work > 0:
            spent = min(work, self._work)
            work -= spent
            self._work -= spent
            done.cycles += spent * self._share
            if self.phase is Phase.SWEEP:
                freed = self.condemned * spent / (spent + self._work) if spent + self._work else self.condemned
                self.condemned -= freed
                self.total -= freed
            if self._work > 0:
                break
            if self.phase is Phase.SWEEP:
                self._rest()
                done.cycles_ended += 1
                return
            self.condemned = min(self.total, dead())
            done.collected = True
            self.estimate = self.total - self.condemned
            self.phase = Phase.SWEEP
            self._share = self._swept_share / self._sweep()
            self._work = self._sweep()
        self.threshold = self.total + every

    def _begin(self) -> None:
        stock, pace = self._stock, self._pace
        marked = stock.total - (0 if pace.strings_are_objects else stock.string_bytes)
        self._work = max(1.0, marked)
        sweep = self._sweep()
        self._share = 1 / (self._work + sweep)
        self._swept_share = sweep * self._share
        self.phase = Phase.MARK

    def _sweep(self) -> float:
        stock, pace = self._stock, self._pace
        swept = stock.objects + (stock.strings if pace.strings_are_objects else 0) + self.condemned / _DEAD_OBJECT
        slots = 1 << max(0, stock.strings - 1).bit_length()
        return max(1.0, swept * pace.sweep_object + slots * pace.string_slot)

    def _pace_of_steps(self) -> tuple[float, float]:
        """Bytes between two steps, and the work of each."""
        size, multiplier = self._pace.step_size, self.multiplier
        if not self._is_51:
            return max(_LEAST, size * STEP_MULTIPLIER / max(40, multiplier)), size
        limit = size // 100 * multiplier
        return size, limit if limit > 0 else float("inf")

    def _rest(self) -> None:
        """The cycle is over: `setthreshold`, on 5.3 `setpause`."""
        self.phase = Phase.PAUSE
        threshold = int(self.estimate) // 100 * self.pause
        # 5.1 multiplies in 32 bits without a sign.
        self.threshold = threshold % _WRAP if self._is_51 else min(threshold, _LARGEST_53)
        # Due at once, but never without an object in between.
        self.threshold = max(self.threshold, self.total + _LEAST)
