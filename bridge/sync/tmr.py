"""The module `tmr` and its timers without `await`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from bridge.mirror.modules import tmr as _tmr
from bridge.portal import portal
from bridge.sync.face import KINDS, Remote, face, to_handler


class Timer(Remote):
    """`tmr.timer`; see `bridge.mirror.modules.tmr.Timer`."""

    @property
    def _timer(self) -> _tmr.Timer:
        return cast(_tmr.Timer, self.remote)

    def register(self, interval_ms: int, mode: int, func: Callable[..., Any]) -> None:
        """Say what the timer does, without starting it; a running one is stopped."""
        portal().call(self._timer.register(interval_ms, mode, _called(func)))

    def alarm(self, interval_ms: int, mode: int, func: Callable[..., Any]) -> bool:
        """`register` and `start`. Returns True."""
        return portal().call(self._timer.alarm(interval_ms, mode, _called(func)))

    def start(self, restart: bool | None = None) -> bool:
        """Start it."""
        return portal().call(self._timer.start(restart))

    def stop(self) -> bool:
        """Stop it; `start` starts it again. Returns False if it did not run."""
        return portal().call(self._timer.stop())

    def unregister(self) -> None:
        """Stop it, and forget its function."""
        portal().call(self._timer.unregister())

    def interval(self, interval_ms: int) -> None:
        """Change the interval; a running timer starts anew with it."""
        portal().call(self._timer.interval(interval_ms))

    def state(self) -> tuple[bool, int] | None:  # type: ignore[override]
        """(does it run, mode), or None if it is not registered: stock's method, not the handle's `state`."""
        return portal().call(self._timer.state())

    def release(self) -> None:
        """Stop the timer, forget its function and let it go. Doing it again does nothing."""
        portal().call(self._timer.release())


class Tmr(_tmr.TmrConstants):
    """The module `tmr`; see `bridge.mirror.modules.tmr.Tmr`."""

    def __init__(self, tmr: _tmr.Tmr) -> None:
        self._tmr = tmr

    def create(self) -> Timer:
        """Make a timer."""
        return face(portal().call(self._tmr.create()), Timer)

    def delay(self, us: int) -> None:
        """Keep the board's CPU busy; nothing else runs there, and Wi-Fi suffers beyond 15 ms."""
        portal().call(self._tmr.delay(us))

    def now(self) -> int:
        """Microseconds since the chip's start, 31 bits: back at 0 after 35 minutes."""
        return portal().call(self._tmr.now())

    def time(self) -> int:
        """Seconds since the chip's start, 31 bits."""
        return portal().call(self._tmr.time())

    def ccount(self) -> int:
        """The CPU's counter of cycles, 32 bits with a sign: it rolls over every 27 s at 160 MHz."""
        return portal().call(self._tmr.ccount())

    def wdclr(self) -> None:
        """Feed the system's watchdog."""
        portal().call(self._tmr.wdclr())

    def softwd(self, timeout_s: int) -> None:
        """Restart the board unless this is called again in time. The restart ends this boot: `BoardReset`."""
        portal().call(self._tmr.softwd(timeout_s))


def _called(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function as the asyncio timer calls it; what is none stays what it is, and is refused there."""
    return to_handler(function) or function


KINDS[_tmr.Timer] = Timer
