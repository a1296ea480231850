"""Whether a running task of a board is to be given up, because its process is wanted for something else.

A task of a board runs to its end at once, and a Lua loop that feeds the watchdog has no end: it holds the event loop,
where signals, deadlines and whoever wants to close the board wait for their turn. The VM therefore asks here every
thousand instructions.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from typing import Any

#: After so long, in seconds of the host's time, a task's end is no longer waited for with a signal.
PATIENCE_S = 0.1
#: What somebody sends who wants a program to end.
ENDING = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))

_asked = threading.Event()


def ask() -> None:
    """Give up what any board of this process is running; may be called from any thread."""
    _asked.set()


def withdraw() -> None:
    """What was wanted has been done: tasks may run on."""
    _asked.clear()


class Interrupt:
    """Looks whether the running task is to be given up.

    It is when somebody called `ask`, or when the process got SIGINT, SIGTERM or SIGHUP. The program's own handlers
    would be called in the middle of Lua, where what they raise becomes a Lua error that any `pcall` catches, and where
    what they ask of the event loop is not heard. So while a task takes long they are called when it has ended.

    Args:
        loop: the event loop that a running task holds.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._patient_until: float | None = None
        self._handlers: dict[signal.Signals, Any] = {}
        self._noted: list[int] = []

    def begin(self) -> None:
        """A task of the board begins."""
        self._patient_until = None

    def wanted(self) -> bool:
        """True if the task is to be given up. To be asked inside the task, now and then."""
        if self._patient_until is None:
            self._patient_until = time.monotonic() + PATIENCE_S
        elif not self._handlers and time.monotonic() >= self._patient_until:
            self._patient_until += PATIENCE_S
            self._listen()
        return bool(self._noted) or _asked.is_set()

    def _listen(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # Python has handlers in the main thread only
        for number in ENDING:
            if callable(signal.getsignal(number)):
                self._handlers[number] = signal.signal(number, lambda number, frame: self._noted.append(number))
        # The loop comes to it as soon as the task has ended.
        self._loop.call_soon(self._hand_back)

    def _hand_back(self) -> None:
        handlers, self._handlers = self._handlers, {}
        noted, self._noted = self._noted, []
        for each, handler in handlers.items():
            signal.signal(each, handler)
        for number in noted:
            handlers[signal.Signals(number)](number, None)
