"""The one CPU of the board, as time that passes while a task computes or waits.

A task runs at once on the host; what it costs is summed here, and the next task is not dispatched before that time
has passed. `now()` inside a task is therefore ahead of the event loop's clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bridge.virtual.sdk.kernel import Halted

#: The SDK's soft watchdog resets when a task holds the CPU for so long (app notes and measured: about 3.2 s).
WATCHDOG_S = 3.2
#: A task that has computed for so long, feeding the watchdog, counts as one that never ends. The chip has lost its
#: access point long before; the host computes it in seconds, in which nothing else of its event loop runs.
ENDLESS_S = 60.0


class BoardCpu:
    """Implements `bridge.virtual.sdk.kernel.Cpu`.

    Args:
        loop: the clock.
        factor: multiplies what computing costs; 0 makes it free. Waiting costs what it costs.
        on_watchdog: called when a task has held the CPU for too long.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, factor: float, on_watchdog: Callable[[], None]) -> None:
        self.mhz = 80
        self._loop = loop
        self._factor = factor
        self._on_watchdog = on_watchdog
        self._boot = loop.time()
        self._running = False
        self._start = self._boot
        self._spent = 0.0
        self._unfed = 0.0
        self._computed = 0.0
        #: Brings in what the VM has computed since it was last asked.
        self.settle: Callable[[], None] = lambda: None

    def detach(self) -> None:
        """The boot is over: time still passes, but nobody is told of anything."""
        self.settle = self._on_watchdog = lambda: None

    def begin(self, start: float) -> None:
        """A task starts at this board time."""
        self._running = True
        self._start = start
        self._spent = self._unfed = self._computed = 0.0

    def resume(self, start: float) -> None:
        """A task that waited for time to pass goes on; the watchdog has not been fed meanwhile."""
        self._running = True
        self._start = start
        self._spent = 0.0

    def end(self) -> float:
        """The task ends or waits; returns the board time at which the CPU is free again."""
        self.settle()
        self._running = False
        return self._start + self._spent

    @property
    def running(self) -> bool:
        """True inside a task."""
        return self._running

    @property
    def ahead(self) -> float:
        """Seconds by which the running task is ahead of the event loop's clock."""
        return self.now() - self._loop.time()

    def now(self) -> float:
        """Board time in seconds."""
        if not self._running:
            return self._loop.time()
        self.settle()
        return self._start + self._spent

    def micros(self) -> int:
        """Microseconds since boot, 32 bits."""
        return int((self.now() - self._boot) * 1e6 + 0.5) & 0xFFFFFFFF

    def busy(self, seconds: float) -> None:
        """Wait with the CPU held.

        Raises:
            Halted: the watchdog ended the task.
        """
        self._spent += seconds
        self._hold(seconds)

    def charge(self, microseconds: float) -> None:
        """Compute for so long at 80 MHz."""
        seconds = microseconds * 80e-6 / self.mhz
        self._spent += self.seconds(microseconds)
        self._computed += seconds
        # An endless loop must end even where computing is free.
        self._unfed += seconds * (self._factor or 1.0)

    def seconds(self, microseconds: float) -> float:
        """Board time that so much computing at 80 MHz takes."""
        return microseconds * 80e-6 / self.mhz * self._factor

    def _hold(self, seconds: float) -> None:
        self._unfed += seconds
        if self.starved:
            self._on_watchdog()
            raise Halted

    @property
    def starved(self) -> bool:
        """True when the watchdog would reset the chip."""
        return self._running and self._unfed > WATCHDOG_S

    @property
    def endless(self) -> bool:
        """True when the running task has computed for so long that it counts as one that never ends."""
        return self._running and self._computed > ENDLESS_S

    def feed(self) -> None:
        """`system_soft_wdt_feed`."""
        self._unfed = 0.0
