"""The stack's timers (app/lwip/core/timers.c, NO_SYS), as they run in reality.

`sys_timeout` counts from the last timeout that fired and each firing forgets by how much it was late, while the
list is looked at only every 25 ms. So the stack's time runs slow, by 3 to 20 % in the recordings: a connect that
nobody answers fails after 7.0 to 7.6 s (not 6.5), a lookup after 7 to 8.3 s (not 6.7). Both timers keep to a grid
that starts at boot.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

#: What TCP_TMR_INTERVAL (125 ms) really takes, in seconds.
TCP_TICK = 0.1445
#: What DNS_TMR_INTERVAL (1000 ms) really takes, in seconds.
DNS_TICK = 1.15


class Pending(Protocol):
    """A call that is to come."""

    def cancel(self) -> None: ...


class Ticker:
    """Calls a function on a grid of time as long as it is needed.

    Args:
        now: reads the board's time in seconds.
        after: calls a function after a delay in seconds.
        period: of the grid, in seconds.
        tick: called on the grid; returns whether it is still needed.
    """

    def __init__(
        self,
        now: Callable[[], float],
        after: Callable[[float, Callable[[], None]], Pending],
        period: float,
        tick: Callable[[], bool],
    ) -> None:
        self._now = now
        self._after = after
        self._period = period
        self._tick = tick
        self._start = now()
        self._pending: Pending | None = None

    def need(self) -> None:
        """See to it that the function is called at the next point of the grid."""
        if self._pending is not None:
            return
        now = self._now()
        # A call may come early by a rounding error.
        point = self._start + (math.floor((now - self._start) / self._period + 1e-6) + 1) * self._period
        self._pending = self._after(max(0.0, point - now), self._fire)

    def _fire(self) -> None:
        self._pending = None
        if self._tick():
            self.need()
