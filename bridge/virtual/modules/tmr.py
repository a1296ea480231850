"""The `tmr` module (app/modules/tmr.c): time, waiting, and timers as objects."""

from __future__ import annotations

from typing import ClassVar

from bridge.virtual.lua.api import Args, ArgumentFault, Builtin, LuaObject, Module, ObjectType, Value
from bridge.virtual.sdk.kernel import Kernel, Timer
from bridge.virtual.sdk.system import RESTARTED

_SINGLE, _AUTO, _SEMI, _OFF = 0, 1, 2, 3
_IDLE = 0x80
#: The SDK's limit, in milliseconds.
_MAX_TIMEOUT = 0x68D7A3
_RANGE = "Range: 1-0x68D7A3"
_TIMER_STRUCT = 36


class TimerObject(LuaObject):
    """A `tmr.timer`."""

    TYPE: ClassVar[ObjectType]

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._function: Value = None
        # As in C, "idle" is a bit of the mode, also of OFF: a timer that was stopped without being registered has it.
        self._mode = _OFF
        self._interval = 0
        self._pending: Timer | None = None

    @property
    def _armed(self) -> bool:
        return self._mode != _OFF and not self._mode & _IDLE

    def _disarm(self) -> None:
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None

    def _arm(self) -> None:
        self._disarm()
        self._pending = self._kernel.after(self._interval / 1000, self._fire)

    def _fire(self) -> None:
        self._pending = None
        if self._mode == _AUTO:
            self._pending = self._kernel.after(self._interval / 1000, self._fire)
        function = self._function
        if function is None:
            return
        # The object is the argument even if this was its last reference.
        if self._mode == _SINGLE:
            self._function, self._mode = None, _OFF
        elif self._mode == _SEMI:
            self._mode |= _IDLE
        self._kernel.lua.pin(self)
        try:
            self._kernel.lua.protected(function, self, kind="timer")
        finally:
            if not self._armed:
                self._kernel.lua.unpin(self)

    def register(self, arguments: Args) -> None:
        interval = arguments.check_integer(2)
        mode = arguments.check_integer(3) & 0xFF
        if not 0 < interval <= _MAX_TIMEOUT:
            raise ArgumentFault(2, _RANGE)
        if mode not in (_SINGLE, _AUTO, _SEMI):
            raise ArgumentFault(3, "Invalid mode")
        if not arguments.is_function(4):
            raise ArgumentFault(4, "Must be function")
        if self._armed:
            self._disarm()
        self._function = arguments.get(4)
        self._mode, self._interval = mode | _IDLE, interval

    def start(self, restart: bool = False) -> bool:
        self._kernel.lua.pin(self)
        if not (self._mode & _IDLE or restart):
            return False
        self._mode &= ~_IDLE
        self._arm()
        return True

    def stop(self) -> bool:
        running = self._armed
        self._disarm()
        self._mode |= _IDLE
        self._kernel.lua.unpin(self)
        return running

    def unregister(self) -> None:
        self._disarm()
        self._function, self._mode = None, _OFF
        self._kernel.lua.unpin(self)

    def set_interval(self, arguments: Args) -> None:
        interval = arguments.check_integer(2)
        if not 0 < interval <= _MAX_TIMEOUT:
            raise ArgumentFault(2, _RANGE)
        if self._mode != _OFF:
            self._interval = interval
            if not self._mode & _IDLE:
                self._arm()

    def state(self) -> Value:
        if self._mode == _OFF:
            return (None,)
        return not self._mode & _IDLE, self._mode & ~_IDLE

    def collected(self) -> None:
        self.unregister()


def _timer(arguments: Args) -> TimerObject:
    timer: TimerObject = arguments.check_object(1, TimerObject)
    return timer


def _start(arguments: Args) -> bool:
    timer = _timer(arguments)
    if not isinstance(arguments.get(2), bool | None):
        raise ArgumentFault(2, "boolean expected")
    return timer.start(bool(arguments.get(2)))


def _alarm(arguments: Args) -> bool:
    timer = _timer(arguments)
    timer.register(arguments)
    return timer.start()


TimerObject.TYPE = ObjectType(
    name="tmr.timer",
    size=_TIMER_STRUCT,
    methods={
        "register": lambda arguments: _timer(arguments).register(arguments),
        "alarm": _alarm,
        "start": _start,
        "stop": lambda arguments: _timer(arguments).stop(),
        "unregister": lambda arguments: _timer(arguments).unregister(),
        "state": lambda arguments: _timer(arguments).state(),
        "interval": lambda arguments: _timer(arguments).set_interval(arguments),
    },
)


class _Clock:
    """The module's functions that are not about timers."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._softwd = -1
        kernel.after(1.0, self._second)

    def _second(self) -> None:
        self._kernel.after(1.0, self._second)
        if self._softwd >= 0:
            self._softwd -= 1
            if self._softwd < 0:
                self._kernel.restart(RESTARTED)

    def delay(self, arguments: Args) -> None:
        left = arguments.check_integer(1)
        if left <= 0:
            raise ArgumentFault(1, "wrong arg range")
        while left > 0:
            self._kernel.cpu.busy(min(left, 1_000_000) / 1e6)
            self._kernel.cpu.feed()
            left -= 1_000_000

    def now(self, arguments: Args) -> int:
        return self._kernel.cpu.micros() & 0x7FFFFFFF

    def ccount(self, arguments: Args) -> int:
        count = self._kernel.cpu.micros() * self._kernel.cpu.mhz & 0xFFFFFFFF
        return count - (1 << 32) if count >> 31 else count

    def time(self, arguments: Args) -> int:
        return self._kernel.cpu.micros() // 1_000_000

    def wdclr(self, arguments: Args) -> None:
        self._kernel.cpu.feed()

    def softwd(self, arguments: Args) -> None:
        self._softwd = arguments.check_integer(1)

    def create(self, arguments: Args) -> TimerObject:
        return TimerObject(self._kernel)


def build(kernel: Kernel) -> Module:
    """The module for one boot."""
    clock = _Clock(kernel)
    entries: dict[str, Builtin | Value] = {
        "delay": clock.delay,
        "now": clock.now,
        "wdclr": clock.wdclr,
        "softwd": clock.softwd,
        "time": clock.time,
        "ccount": clock.ccount,
        "create": clock.create,
        "ALARM_SINGLE": _SINGLE,
        "ALARM_SEMI": _SEMI,
        "ALARM_AUTO": _AUTO,
    }
    return Module("tmr", entries)
