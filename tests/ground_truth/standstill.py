"""Notices when this machine stands still: when a process that asks for 20 ms of sleep is not woken for much longer."""

from __future__ import annotations

import threading
import time

#: How often the clock is looked at, in seconds.
LOOK_S = 0.02
#: A sleep that takes so much longer than it should counts, in seconds. The player listens for 0.08 to 0.25 s.
LATE_S = 0.06


class StandstillWatch:
    """Watches from its making until `close`. Times in seconds of `time.monotonic`."""

    def __init__(self) -> None:
        self._found: list[tuple[float, float]] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="standstill watch", daemon=True)
        self._thread.start()

    def within(self, begin: float, end: float) -> float:
        """The longest standstill that began or ended in a span of time; 0 if there was none."""
        # A copy, because the thread may add to it.
        return max((until - since for since, until in list(self._found) if since < end and until > begin), default=0.0)

    def close(self) -> None:
        """Stop watching."""
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        before = time.monotonic()
        while not self._end.wait(LOOK_S):
            now = time.monotonic()
            if now - before > LOOK_S + LATE_S:
                self._found.append((before, now))
            before = now
