"""SIGTERM and SIGHUP end a program as Ctrl-C does: its work is cancelled, and cleans up behind it.

By itself Python dies of both at once: temporary folders stay, with what is secret in them, the terminal stays as it
was drawn on, and programs that were started go on with the port. SIGTERM comes from `kill`, `timeout` and whoever runs
services, SIGHUP from a terminal that is closed.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

#: Windows has no SIGHUP, and nobody there is told of SIGTERM.
_SIGNALS = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


class Ending:
    """What has ended a program.

    Attributes:
        signal: SIGTERM or SIGHUP; None if neither came.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    @property
    def exit_code(self) -> int:
        """That of a program which was interrupted: 128 and the signal's number, as shells have it."""
        return 128 + (self.signal or signal.SIGINT)

    def obey(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: cancel what `run` runs, or raise KeyboardInterrupt where it runs nothing."""
        if self.signal is not None:
            # A closed terminal and `timeout` say it twice. What cleans up is left to do so; Ctrl-C ends that, too.
            return
        self.signal = signal.Signals(number)
        if _work is None:
            raise KeyboardInterrupt
        if not _work.cancelling():
            # From a handler the loop has to be woken.
            _work.get_loop().call_soon_threadsafe(_work.cancel)


#: What runs, and what it is told by.
_work: asyncio.Task[Any] | None = None
_ending: Ending | None = None


@contextlib.contextmanager
def signals_obeyed() -> Iterator[Ending]:
    """While this lasts both signals do what Ctrl-C does. Those that are ignored (`nohup`) stay so.

    Raises:
        KeyboardInterrupt: in the body, when a signal came.
    """
    global _ending
    before = _ending
    _ending = ending = Ending()
    changed = []
    if threading.current_thread() is threading.main_thread():  # Python has handlers nowhere else
        changed = [number for number in _SIGNALS if signal.getsignal(number) is signal.SIG_DFL]
    for number in changed:
        signal.signal(number, ending.obey)
    try:
        yield ending
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)
        _ending = before


def run(work: Coroutine[Any, Any, T], by: Callable[[Coroutine[Any, Any, T]], T] | None = None) -> T:
    """Run a program's coroutine so that the signals of `signals_obeyed` cancel it.

    Args:
        work: the program.
        by: what runs it in place of `asyncio.run`.

    Raises:
        KeyboardInterrupt: a signal came, and the program has cleaned up.
    """
    import asyncio

    async def known() -> T:
        global _work
        _work = asyncio.current_task()
        try:
            return await work
        finally:
            _work = None

    try:
        return (by or asyncio.run)(known())
    except asyncio.CancelledError:
        if _ending is None or _ending.signal is None:
            raise
        raise KeyboardInterrupt from None
