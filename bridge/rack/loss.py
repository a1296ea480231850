"""That a lease is lost: found out by one thread, waited for by another one's event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable


class Loss:
    """Whether a lease is lost.

    Attributes:
        why: it is over; None while it is not.
    """

    def __init__(self) -> None:
        self.why: str | None = None
        self._lock = threading.Lock()
        self._told: list[Callable[[], None]] = []

    def say(self, why: str) -> None:
        """It is lost, for this reason, unless it was for another one before. From any thread."""
        with self._lock:
            self.why = self.why or why
            told, self._told = self._told, []
        for tell in told:
            tell()

    async def wait(self) -> None:
        """Wait until it is lost."""
        loop, lost = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(lost.set)

        with self._lock:
            if self.why is not None:
                return
            self._told.append(tell)
        try:
            await lost.wait()
        finally:
            with self._lock, contextlib.suppress(ValueError):
                self._told.remove(tell)

    def forget(self) -> None:
        """For a child that was forked: nobody there waits, and another thread may have had the lock."""
        self._lock, self._told = threading.Lock(), []
