"""`board.tmr`: the module `tmr` with its timers as objects (app/modules/tmr.c, release 3.0.0)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from bridge.errors import BridgeError, UsageError
from bridge.mirror.callback import Callback
from bridge.mirror.handle import Remote, State
from bridge.mirror.lua import single
from bridge.mirror.modules.face import Face, check_busy, given
from bridge.mirror.table import HandleTable
from bridge.wire.values import Handle, Value

ALARM_SINGLE = 0
ALARM_AUTO = 1
ALARM_SEMI = 2


class Timer(Remote):
    """`tmr.timer`: a timer of the board, which goes on whatever the host does.

    The function is called on the host, each time with this timer; calls that the line or a slow coroutine function
    cannot keep up with are dropped and counted (`Callback`). A running timer stays although nobody holds it, as on the
    board; one that does not run is let go when Python collects it.
    """

    def __init__(self, table: HandleTable, handle: Handle) -> None:
        super().__init__(table, handle)
        self._callback: Callback | None = None
        self._mode = ALARM_SINGLE

    async def register(self, interval_ms: int, mode: int, func: Callable[..., Any]) -> None:
        """Say what the timer does, without starting it; a running one is stopped.

        Args:
            interval_ms: milliseconds, 1 to 6 870 947.
            mode: `ALARM_SINGLE`, `ALARM_SEMI` (once, and again after `start`) or `ALARM_AUTO`.
            func: called with this timer when the time is over; may be a coroutine function.

        Raises:
            UsageError: `func` cannot be called.
            LuaError: "Range: 1-0x68D7A3" (the interval), "Invalid mode".
        """
        await self._configure(":register", interval_ms, mode, func)
        self._set_in_use(False)

    async def alarm(self, interval_ms: int, mode: int, func: Callable[..., Any]) -> bool:
        """`register` and `start`. Returns True.

        Raises:
            As `register`.
        """
        before = self._in_use
        self._set_in_use(True)
        try:
            return bool(await self._configure(":alarm", interval_ms, mode, func))
        except BaseException:
            self._set_in_use(before)
            raise

    async def start(self, restart: bool | None = None) -> bool:
        """Start it.

        Stock behaviour to know: `start(True)` on a timer that was never registered answers True and calls nobody.

        Args:
            restart: True starts one anew that runs.

        Returns:
            False if it runs already or was never registered.
        """
        before = self._in_use
        self._set_in_use(True)
        started = False
        try:
            started = bool((await self.call(":start", *given(restart)))[0])
        finally:
            if not started and not before:
                self._set_in_use(False)
        return started

    async def stop(self) -> bool:
        """Stop it; `start` starts it again. Returns False if it did not run."""
        try:
            return bool((await self.call(":stop"))[0])
        finally:
            self._set_in_use(False)  # also when it is cancelled: it may have been stopped, and no event would tell

    async def unregister(self) -> None:
        """Stop it, and forget its function."""
        try:
            await self.call(":unregister")
        finally:
            self._forget()

    async def interval(self, interval_ms: int) -> None:
        """Change the interval; a running timer starts anew with it.

        Args:
            interval_ms: milliseconds, 1 to 6 870 947.

        Raises:
            LuaError: "Range: 1-0x68D7A3".
        """
        await self.call(":interval", interval_ms)

    async def state(self) -> tuple[bool, int] | None:  # type: ignore[override]
        """(does it run, mode), or None if it is not registered: stock's method, not the handle's `state`."""
        running, mode = (*await self.call(":state"), None, None)[:2]
        return None if running is None else (running, mode)

    async def release(self) -> None:
        """Stop the timer, forget its function and let it go. Doing it again does nothing."""
        if self._state is State.OPEN:
            await self.unregister()
        await super().release()

    # Below: what the table uses.

    @property
    def must_stay(self) -> bool:
        """True while it runs."""
        return self._in_use and self._state is State.OPEN and self._callback is not None

    def fail(self, reason: BridgeError) -> None:
        """The boot it belongs to is over: it calls nobody any more."""
        super().fail(reason)
        self._forget()

    def expired(self) -> None:
        """The board says that the time is over."""
        if self._mode != ALARM_AUTO:
            self._set_in_use(False)
        if self._callback is not None:
            self._callback(self)

    async def _configure(self, target: str, interval_ms: int, mode: int, func: Callable[..., Any]) -> Value:
        if not callable(func):
            raise UsageError("The function of a timer cannot be called", remedy="Pass a function.")
        # Before the call, because the first expiry may be here before the reply has been looked at.
        before = self._callback, self._mode
        self._callback, self._mode = Callback(func, self.table), mode
        self.table.keep(self)
        try:
            return single(await self.call(target, interval_ms, mode, _expired))
        except BaseException:
            self._callback, self._mode = before
            raise

    def _forget(self) -> None:
        if self._callback is not None:
            self._callback.forget()
            self._callback = None
        self._set_in_use(False)


def _expired(timer: object) -> None:
    """What Lua calls for all timers of a boot, so that the board has one function for all of them; which timer it is
    comes with the call."""
    if isinstance(timer, Timer):
        timer.expired()


_expired.__qualname__ = "a timer's function"  # as errors name it


class TmrConstants:
    """Constants of `tmr`."""

    ALARM_SINGLE = ALARM_SINGLE
    ALARM_AUTO = ALARM_AUTO
    ALARM_SEMI = ALARM_SEMI


class Tmr(TmrConstants, Face):
    """Time and timers."""

    MODULE: ClassVar[str] = "tmr"

    async def create(self) -> Timer:
        """Make a timer."""
        table = await self._tables()
        (handle,) = await table.caller.call("tmr.create")
        return Timer(table, handle)

    async def delay(self, us: int) -> None:
        """Keep the board's CPU busy; nothing else runs there, and Wi-Fi suffers beyond 15 ms.

        Args:
            us: microseconds, at most 5 000 000.

        Raises:
            UsageError: longer than the link waits.
            LuaError: "wrong arg range": not above 0.
        """
        check_busy(us, "tmr.delay")
        await self._call("delay", us)

    async def now(self) -> int:
        """Microseconds since the chip's start, 31 bits: back at 0 after 35 minutes."""
        return int(await self._one("now"))

    async def time(self) -> int:
        """Seconds since the chip's start, 31 bits."""
        return int(await self._one("time"))

    async def ccount(self) -> int:
        """The CPU's counter of cycles, 32 bits with a sign: it rolls over every 27 s at 160 MHz."""
        return int(await self._one("ccount"))

    async def wdclr(self) -> None:
        """Feed the system's watchdog."""
        await self._call("wdclr")

    async def softwd(self, timeout_s: int) -> None:
        """Restart the board unless this is called again in time. The restart ends this boot: `BoardReset`.

        Args:
            timeout_s: seconds; below 0 switches it off.
        """
        await self._call("softwd", timeout_s)
