"""Pins and serial lines without `await`: the modules `adc`, `gpio` and `uart`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from bridge.mirror.modules import adc as _adc
from bridge.mirror.modules import gpio as _gpio
from bridge.mirror.modules import uart as _uart
from bridge.mirror.modules.text import Data
from bridge.portal import portal
from bridge.sync.face import to_handler


class Adc(_adc.AdcConstants):
    """The module `adc`; see `bridge.mirror.modules.adc.Adc`."""

    def __init__(self, adc: _adc.Adc) -> None:
        self._adc = adc

    def read(self, channel: int) -> int:
        """Measure the pin A0."""
        return portal().call(self._adc.read(channel))

    def readvdd33(self) -> int:
        """Measure the supply."""
        return portal().call(self._adc.readvdd33())

    def force_init_mode(self, mode_value: int) -> bool:
        """Say what the chip measures from its next start on; kept in flash."""
        return portal().call(self._adc.force_init_mode(mode_value))


class Gpio(_gpio.GpioConstants):
    """The module `gpio`; see `bridge.mirror.modules.gpio.Gpio`."""

    def __init__(self, gpio: _gpio.Gpio) -> None:
        self._gpio = gpio

    def mode(self, pin: int, mode: int, pullup: int | None = None) -> None:
        """Say what a pin does."""
        portal().call(self._gpio.mode(pin, mode, pullup))

    def read(self, pin: int) -> int:
        """Level at a pin, `LOW` or `HIGH`."""
        return portal().call(self._gpio.read(pin))

    def write(self, pin: int, level: int) -> None:
        """Set the level of an output."""
        portal().call(self._gpio.write(pin, level))

    def trig(self, pin: int, type: str | None = None, callback: Callable[..., Any] | None = None) -> None:
        """Be called when the level at a pin changes; the pin is in the mode `INT`."""
        portal().call(self._gpio.trig(pin, type, to_handler(callback)))

    def serout(
        self,
        pin: int,
        start_level: int,
        delay_times: Iterable[int],
        cycle_num: int | None = None,
        callback: Callable[[], Any] | int | None = None,
    ) -> None:
        """Write a sequence of levels, each the opposite of the one before."""
        done = to_handler(callback) if callable(callback) else callback
        portal().call(self._gpio.serout(pin, start_level, delay_times, cycle_num, done))


class Uart(_uart.UartConstants):
    """The module `uart`; see `bridge.mirror.modules.uart.Uart`."""

    def __init__(self, uart: _uart.Uart) -> None:
        self._uart = uart

    def setup(self, id: int, baud: int, databits: int, parity: int, stopbits: int, echo: int | None = None) -> int:
        """Set a UART up."""
        return portal().call(self._uart.setup(id, baud, databits, parity, stopbits, echo))

    def getconfig(self, id: int) -> tuple[int, int, int, int]:
        """(baud, data bits, parity, stop bits) of UART 0 or 1."""
        return portal().call(self._uart.getconfig(id))

    def write(self, id: int, *data: Data | int) -> None:
        """Send on a UART; ends when the last byte is in its FIFO."""
        portal().call(self._uart.write(id, *data))

    def fifodepth(self, id: int | None = None, dir: int | None = None) -> int:
        """Bytes in a FIFO of the chip."""
        return portal().call(self._uart.fifodepth(id, dir))

    def on(self, method: str, *values: int | str | Callable[..., Any] | None) -> NoReturn:
        """Refused: the bridge receives on UART 0, and UART 1 cannot receive."""
        portal().call(self._uart.on(method, *values))

    def alt(self, on: int) -> NoReturn:
        """Refused: with the pins D7 and D8 in use, the line to this host would be dead."""
        portal().call(self._uart.alt(on))
