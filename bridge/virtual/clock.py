"""The virtual clock: an event loop whose time jumps to the next event.

Everything that waits on the loop (the line, the adapter, the CPU, timers, the link's own timers, `asyncio.sleep`,
`asyncio.timeout`) then runs as fast as the host can compute, in an order that depends on nothing but the program
and its seeds. Nothing may wait outside the loop: no threads, no real sockets.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _JumpingSelector(selectors.DefaultSelector):
    """Reports what is ready at once, and moves the clock on instead of waiting."""

    now = 0.0
    limit = float("inf")

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            # Nothing is scheduled and nothing ready: on a virtual clock that can never change by itself.
            raise RuntimeError("the virtual clock has no event to jump to: something waits outside the event loop")
        if self.now > self.limit:
            self.limit = float("inf")  # once: what cleans up after this may still need time
            raise TimeoutError(f"nothing came of the program within {self.now:.0f} seconds of the virtual clock")
        self.now += timeout
        return ready


class VirtualClockLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop on the virtual clock; `time()` is in seconds and starts at 0."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def limit(self, seconds: float) -> None:
        """Raise TimeoutError out of the loop when it has run for so many virtual seconds."""
        self._jumping.limit = seconds


def is_virtual(loop: asyncio.AbstractEventLoop) -> bool:
    """True if the loop runs on the virtual clock."""
    return isinstance(loop, VirtualClockLoop)


def run(main: Coroutine[Any, Any, T], *, limit: float = 4 * 3600.0) -> T:
    """Run a coroutine to its end on a fresh virtual clock, and return its result.

    Args:
        main: what to run.
        limit: virtual seconds it may take. A board's own timers never end, so a program that waits for what cannot
            happen would otherwise spin for ever, where on the wall clock somebody would press a key.

    Raises:
        TimeoutError: the limit has passed.
    """

    def make_loop() -> VirtualClockLoop:
        loop = VirtualClockLoop()
        loop.limit(limit)
        return loop

    with asyncio.Runner(loop_factory=make_loop) as runner:
        return runner.run(main)
