"""The `gpio` module (app/modules/gpio.c, app/platform/platform.c).

What stands at the pins from outside is set through `pins(kernel)`. Taken from the C sources and
docs/modules/gpio.md; no recording of a board covers it. Switching D9 or D10 away from the UART is not modelled:
the console keeps running.
"""

from __future__ import annotations

from collections.abc import Callable

from bridge.virtual.lua.api import Args, ArgumentFault, LuaFault, Module, Value
from bridge.virtual.modules.gpio_pins import FLOAT, INPUT, INT, OPENDRAIN, OUTPUT, PIN_COUNT, PULLUP, Pins
from bridge.virtual.sdk.kernel import Kernel, Priority, TaskQueueFull, Timer

_TRIGGERS = ("none", "up", "down", "both", "low", "high")
_DELAYS = 256
#: Longer than any watchdog waits: what a repeat count of 0 turns into (it wraps to 2^32).
_FOREVER_S = 60.0


def pins(kernel: Kernel) -> Pins:
    """The pins of the board in this boot: what is driven from outside, and what the board drives."""
    found: Pins = kernel.parts.setdefault("pins", Pins())
    return found


class _Trigger:
    """An armed interrupt of one pin (`pin_int_type`, `pin_counter`, `gpio_cb_ref`)."""

    def __init__(self, kind: str, function: Value) -> None:
        self.kind = kind
        self.function = function
        self.enabled = True
        self.seen = 0
        self.reported = 0

    @property
    def is_level(self) -> bool:
        return self.kind in ("low", "high")

    def matches(self, level: int, changed: bool) -> bool:
        if self.is_level:
            return self.enabled and level == (self.kind == "high")
        return changed and (self.kind == "both" or level == (self.kind == "up"))


class Gpio:
    """The module's state."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.pins = pins(kernel)
        self.triggers: dict[int, _Trigger] = {}
        self.output = _SerialOutput(kernel, self.pins)
        self.pins.changed = self._changed

    def mode(self, args: Args) -> None:
        """`gpio.mode(pin, mode[, pullup])`."""
        pin, mode, pull = args.check_integer(1), args.check_integer(2), args.opt_integer(3, FLOAT)
        if not 0 <= pin < PIN_COUNT or (mode == INT and pin == 0):
            raise ArgumentFault(1, "Invalid pin")
        if mode not in (OUTPUT, OPENDRAIN, INPUT, INT):
            raise ArgumentFault(2, "wrong arg type")
        if mode != INT:
            self.triggers.pop(pin, None)
        self.pins.configure(pin, mode, pull != FLOAT)

    def read(self, args: Args) -> int:
        """`gpio.read(pin)`."""
        return self.pins.level(self._pin(args))

    def write(self, args: Args) -> None:
        """`gpio.write(pin, level)`."""
        args.check_integer(1)
        level = args.check_integer(2)
        pin = self._pin(args)
        if level not in (0, 1):
            raise ArgumentFault(2, "wrong level type")
        self.pins.write(pin, level)

    def trig(self, args: Args) -> None:
        """`gpio.trig(pin[, kind[, function]])`."""
        pin = args.check_integer(1)
        if not 0 < pin < PIN_COUNT:
            raise ArgumentFault(1, "Invalid interrupt pin")
        kind = _TRIGGERS[args.check_option(2, _TRIGGERS, "none")]
        old = self.triggers.pop(pin, None)
        if kind == "none":
            return
        if len(args) == 2 and old is not None:
            function = old.function
        elif args.is_function(3):
            function = args.get(3)
        else:
            raise ArgumentFault(3, "invalid callback type")
        self.triggers[pin] = _Trigger(kind, function)
        self._changed(pin, self.pins.level(pin), changed=False)

    def serout(self, args: Args) -> None:
        """`gpio.serout(pin, level, delays[, repeats[, function]])`."""
        self.output.start(args)

    def _pin(self, args: Args) -> int:
        pin = args.check_integer(1)
        if not 0 <= pin < PIN_COUNT:
            raise LuaFault(f"gpio {pin} does not exist")
        return pin

    def _changed(self, pin: int, level: int, changed: bool = True) -> None:
        """The interrupt handler: counts, and posts a task unless one is on its way."""
        trigger = self.triggers.get(pin)
        if trigger is None or not trigger.matches(level, changed):
            return
        waiting = trigger.seen != trigger.reported and not trigger.seen & 0x8000
        trigger.seen = (trigger.seen + 1) & 0x7FFF
        if trigger.is_level:
            trigger.enabled = False
        if waiting:
            return
        when = self.kernel.cpu.micros() & 0x7FFFFFFF
        try:
            self.kernel.post(Priority.HIGH, lambda: self._report(pin, level, when))
        except TaskQueueFull:
            trigger.seen |= 0x8000  # the next interrupt tries again

    def _report(self, pin: int, level: int, when: int) -> None:
        trigger = self.triggers.get(pin)
        if trigger is None:
            return
        count = (trigger.seen - trigger.reported) & 0x7FFF
        trigger.reported = trigger.seen & 0x7FFF
        self.kernel.lua.protected(trigger.function, level, when, count, kind="gpio callback")
        if self.triggers.get(pin) is trigger and trigger.is_level:
            trigger.enabled = True
            self._changed(pin, self.pins.level(pin), changed=False)


class _SerialOutput:
    """`serout`: one sequence of levels at a time (`serout_t`)."""

    def __init__(self, kernel: Kernel, pins: Pins) -> None:
        self.kernel = kernel
        self.pins = pins
        self.timer: Timer | None = None

    def start(self, args: Args) -> None:
        pin, level = args.check_integer(1), args.check_integer(2)
        repeats = args.opt_integer(4, 1)
        if not 0 <= pin < PIN_COUNT:
            raise ArgumentFault(1, "Invalid pin")
        if level not in (0, 1):
            raise ArgumentFault(2, "Wrong level type")
        delays = self._delays(args)
        if args.get(5) is None:
            self._write_now(pin, level, delays, repeats)
            return
        if self.timer is not None:
            raise LuaFault("Unable to initialize timer")
        done = None if args.is_number(5) else args.get(5)
        self._step(pin, level, delays, 0, repeats, done)

    def _delays(self, args: Args) -> list[int]:
        """Microseconds between the levels."""
        items = dict(self.kernel.lua.items(args.get(3))) if args.type_name(3) == "table" else None
        length = 0
        while items is not None and length + 1 in items:
            length += 1
        if items is None or length >= _DELAYS:
            raise ArgumentFault(3, "Invalid delay_times")
        return [type(args)((items[index + 1],)).check_integer(1) & 0xFFFFFFFF for index in range(length)]

    def _write_now(self, pin: int, level: int, delays: list[int], repeats: int) -> None:
        if repeats < 1:
            self.kernel.cpu.busy(_FOREVER_S)
            return
        for _ in range(repeats):
            for delay in delays:
                self.pins.write(pin, level)
                level ^= 1
                self.kernel.cpu.busy(delay * 1e-6)

    def _step(self, pin: int, level: int, delays: list[int], index: int, repeats: int, done: Value) -> None:
        self.timer = None
        if index >= len(delays):
            try:
                self.kernel.post(Priority.LOW, self._done(done))
            except TaskQueueFull:
                pass  # `task_post_low` is not checked
            return
        self.pins.write(pin, level)
        delay = delays[index] * 1e-6
        index += 1
        if index >= len(delays) and repeats != 1:
            index, repeats = 0, repeats - 1
        self.timer = self.kernel.after(delay, lambda: self._step(pin, level ^ 1, delays, index, repeats, done))

    def _done(self, function: Value) -> Callable[[], None]:
        def call() -> None:
            if function is not None:
                self.kernel.lua.protected(function, kind="gpio callback")

        return call


def build(kernel: Kernel) -> Module:
    """The module as Lua sees it."""
    gpio = Gpio(kernel)
    return Module(
        "gpio",
        {
            "mode": gpio.mode,
            "read": gpio.read,
            "write": gpio.write,
            "serout": gpio.serout,
            "trig": gpio.trig,
            "INT": INT,
            "OUTPUT": OUTPUT,
            "OPENDRAIN": OPENDRAIN,
            "INPUT": INPUT,
            "HIGH": 1,
            "LOW": 0,
            "FLOAT": FLOAT,
            "PULLUP": PULLUP,
        },
    )
