"""The pins of a NodeMCU board: the board's side and the world's side of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

#: NodeMCU's index of a pin → GPIO number (app/platform/pin_map.c).
GPIO_OF_INDEX = (16, 5, 4, 0, 2, 14, 12, 13, 15, 3, 1, 9, 10)
PIN_COUNT = len(GPIO_OF_INDEX)

# Numbers of app/platform/platform.h.
INPUT = FLOAT = 0
OUTPUT = PULLUP = 1
INT = 2
OPENDRAIN = 3

#: What a devkit's resistors, its UART and its flash chip hold a pin at while nobody drives it.
_WIRED = {0: 1, 2: 1, 15: 0, 3: 1, 1: 1, 9: 1, 10: 1}


@dataclass
class _Pin:
    mode: int = INPUT
    pullup: bool = False
    latch: int = 0
    driven: int | None = None


class Pins:
    """Levels of all pins, by NodeMCU's index (D0 to D12)."""

    def __init__(self) -> None:
        self._pins = [_Pin() for _ in range(PIN_COUNT)]
        #: Called with (pin, level) after the level at a pin changed.
        self.changed: Callable[[int, int], None] | None = None
        #: Called with (pin, level) whenever the board writes a level, also the same again.
        self.written: Callable[[int, int], None] | None = None

    def drive(self, pin: int, level: int | None) -> None:
        """Hold a pin at a level from outside; None lets go of it.

        A pin that the board itself drives keeps the board's level.
        """
        before = self.level(pin)
        self._pins[pin].driven = level
        self._notify(pin, before)

    def level(self, pin: int) -> int:
        """The level at a pin, 0 or 1. A floating pin reads 0."""
        state = self._pins[pin]
        if state.mode == OUTPUT or (state.mode == OPENDRAIN and not state.latch):
            return state.latch
        if state.driven is not None:
            return state.driven
        if state.pullup:
            return 1
        return _WIRED.get(GPIO_OF_INDEX[pin], 0)

    def configure(self, pin: int, mode: int, pullup: bool) -> None:
        """`platform_gpio_mode`. D0 (GPIO16) has no pull-up and is either an input or an output."""
        before = self.level(pin)
        state = self._pins[pin]
        if pin == 0:
            mode, pullup = (INPUT if mode == INPUT else OUTPUT), False
        state.mode, state.pullup = mode, pullup
        self._notify(pin, before)

    def write(self, pin: int, level: int) -> None:
        """`platform_gpio_write`: sets the latch, and makes the pin an output (D0 and the GPIO_OUTPUT_SET macro)."""
        before = self.level(pin)
        state = self._pins[pin]
        state.latch = level
        if state.mode != OPENDRAIN:
            state.mode = OUTPUT
        if self.written is not None:
            self.written(pin, level)
        self._notify(pin, before)

    def _notify(self, pin: int, before: int) -> None:
        level = self.level(pin)
        if level != before and self.changed is not None:
            self.changed(pin, level)
