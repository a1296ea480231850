"""A one-way path with a delay that keeps order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Pipe(Generic[T]):
    """Delivers what is put in, in order, each thing not before its time.

    Args:
        loop: whose time counts.
        latency: seconds from one end to the other.
        deliver: gets each thing at the other end.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, latency: float, deliver: Callable[[T], None]) -> None:
        self._loop = loop
        self._latency = latency
        self._deliver = deliver
        self._queue: deque[tuple[float, T]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def put(self, thing: T, at: float | None = None) -> None:
        """Send a thing on its way.

        Args:
            at: loop time at which it enters; now when None.
        """
        if self._closed:
            return
        due = (self._loop.time() if at is None else at) + self._latency
        if self._queue:
            due = max(due, self._queue[-1][0])
        self._queue.append((due, thing))
        if self._timer is None:
            self._timer = self._loop.call_at(due, self._run)

    def _run(self) -> None:
        self._timer = None
        # The loop may call a little early, by the resolution of its clock.
        now = self._loop.time() + 1e-6
        while self._queue and self._queue[0][0] <= now:
            self._deliver(self._queue.popleft()[1])
        if self._queue and self._timer is None:
            self._timer = self._loop.call_at(self._queue[0][0], self._run)

    def close(self) -> None:
        """Forget everything on its way."""
        self._closed = True
        self._queue.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
