"""Signals that a process obeys whatever its main thread is doing.

Python runs a signal's handler in the main thread, between two of its own instructions. A virtual board may be in the
middle of Lua for seconds, or in a string pattern of it for ever. So the signals are blocked, and a thread waits for
them; Lua runs without Python's lock, so the thread always gets its turn.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from bridge.virtual import interrupt

#: What is said when a second signal ends the process.
AT_ONCE = b"Ended at once, by a second signal.\n"


class SignalThread:
    """Obeys signals while its `with` block runs. To be entered in the main thread, with the loop running.

    A board's task that goes on for ever is given up for each of them (`bridge.virtual.interrupt`).

    Args:
        loop: runs the actions.
        ending: called for SIGINT, SIGTERM and SIGHUP. The second of them ends the process at once, with the exit code
            that a shell shows for it (128 and the signal's number), even when the loop never gets its turn.
        others: further signals and what is called for each.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        ending: Callable[[], None],
        others: Mapping[signal.Signals, Callable[[], None]],
    ) -> None:
        self._loop = loop
        self._actions = {signal.SIGINT: ending, signal.SIGTERM: ending, signal.SIGHUP: ending}
        self._ending = frozenset(self._actions)
        self._actions.update(others)
        self._leaving = False
        self._thread = threading.Thread(target=self._wait, name="signals", daemon=True)
        self._mask: set[signal.Signals | int] = set()

    def __enter__(self) -> Self:
        self._mask = set(signal.pthread_sigmask(signal.SIG_BLOCK, self._actions))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._leaving = True
        assert self._thread.ident is not None
        signal.pthread_kill(self._thread.ident, signal.SIGHUP)
        self._thread.join()
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        interrupt.withdraw()

    def _wait(self) -> None:
        ended = False
        while True:
            number = signal.sigwait(self._actions)
            if self._leaving:
                return
            if number in self._ending:
                if ended:
                    os.write(2, AT_ONCE)
                    os._exit(128 + number)
                ended = True
            interrupt.ask()
            self._loop.call_soon_threadsafe(self._act, signal.Signals(number))

    def _act(self, number: signal.Signals) -> None:
        if number not in self._ending:
            interrupt.withdraw()
        self._actions[number]()
