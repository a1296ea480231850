"""The `uart` module (app/modules/uart.c, app/platform/platform.c)."""

from __future__ import annotations

from bridge.virtual.lua.api import Args, ArgumentFault, LuaFault, Module, Value
from bridge.virtual.sdk.console_2x import KEEP
from bridge.virtual.sdk.kernel import Kernel
from bridge.virtual.sdk.line_input import LINE_SIZE, DataHandler
from bridge.virtual.sdk.system import System
from bridge.virtual.sdk.uart import BAUDS, Settings

_UARTS = 2
_DIR_RX, _DIR_TX = 0, 1


def _check_id(arguments: Args) -> int:
    number = arguments.check_integer(1)
    if number not in range(_UARTS):
        raise LuaFault(f"uart {number} does not exist")
    return number


class _Uarts:
    def __init__(self, system: System) -> None:
        self._system = system
        self._second = Settings()  # UART1 can only send, and nothing listens to it here

    def setup(self, arguments: Args) -> int:
        number = _check_id(arguments)
        baud, databits, parity, stopbits = (arguments.check_integer(position) for position in range(2, 6))
        if arguments.is_number(6):
            self._system.console.set_echo(bool(arguments.to_integer(6)))
        settings = Settings(
            baud=baud if baud in BAUDS else 9600,
            databits=databits if databits in (5, 6, 7, 8) else 8,
            parity=parity if parity in (1, 2) else 0,
            stopbits=stopbits if stopbits in (2, 3) else 1,
        )
        if number == 0:
            self._system.uart.setup(settings)
        else:
            self._second = settings
        return baud

    def getconfig(self, arguments: Args) -> Value:
        number = _check_id(arguments)
        settings = self._system.uart.settings if number == 0 else self._second
        baud = self._system.uart.shown_baud if number == 0 else settings.baud
        return baud, settings.databits, settings.parity, settings.stopbits

    def write(self, arguments: Args) -> None:
        number = _check_id(arguments)
        for position in range(2, len(arguments) + 1):
            value = arguments.get(position)
            if arguments.type_name(position) == "number":
                byte = arguments.to_integer(position)
                if not 0 <= byte <= 255:
                    raise LuaFault("invalid number")
                data = bytes([byte])
            elif isinstance(value, bytes):
                data = value
            else:
                raise arguments.type_error(position, "string")
            if number == 0:
                self._system.uart.write(data)

    def on(self, arguments: Args) -> None:
        if self._system.image.is_2x:
            self._on_2x(arguments)
            return
        method = arguments.get(1)
        if method != b"data":
            raise ArgumentFault(1, "method not supported")
        position, length, end = 2, -1, 0
        if arguments.type_name(2) == "number":
            length = arguments.check_integer(2)
            if not 0 <= length < LINE_SIZE:
                raise ArgumentFault(2, "wrong arg range")
            position = 3
        elif arguments.is_string(2):
            text = arguments.check_string(2)
            if len(text) != 1:
                raise LuaFault("wrong arg range")
            position, end = 3, text[0]
        console = self._system.console
        if not arguments.is_function(position):
            console.set_receiver(None, 0, 0, True)
            return
        handler = self._handler(arguments.get(position))
        run_input = not (arguments.is_number(position + 1) and arguments.to_integer(position + 1) == 0)
        console.set_receiver(handler, length, end, run_input)

    def _on_2x(self, arguments: Args) -> None:
        # A block that was asked for stays so until another is, also while no function is set.
        position, length, end = 2, KEEP, KEEP
        method = arguments.check_string(1)
        if arguments.type_name(2) == "number":
            position, length = 3, arguments.check_integer(2) & 0xFFFF
            if length >= LINE_SIZE:
                raise LuaFault("wrong arg range")
        elif arguments.is_string(2):
            text = arguments.check_string(2)
            if len(text) != 1:
                raise LuaFault("wrong arg range")
            position, length, end = 3, 0, text[0]
        if method != b"data":
            raise LuaFault("method not supported")
        handler, run_input = None, True
        if arguments.is_function(position):
            handler = self._handler(arguments.get(position))
            run_input = not (arguments.is_number(position + 1) and arguments.to_integer(position + 1) == 0)
        self._system.console.set_receiver(handler, length, end, run_input)

    def _handler(self, function: Value) -> DataHandler:
        return lambda data: self._system.lua.protected(function, data, kind="uart callback")

    def alt(self, arguments: Args) -> None:
        # With the alternate pins the console is gone from the board's USB port.
        arguments.check_integer(1)

    def fifodepth(self, arguments: Args) -> int:
        number = arguments.opt_integer(1, 0)
        if number not in range(_UARTS):
            raise ArgumentFault(1, "Bad UART id; must be 0 or 1")
        direction = arguments.opt_integer(2, 0)
        if direction not in (_DIR_RX, _DIR_TX):
            raise ArgumentFault(2, "Bad direction; must be DIR_RX or DIR_TX")
        return self._system.uart.queued if direction == _DIR_TX and number == 0 else 0


def build(kernel: Kernel) -> Module:
    """The module for one boot."""
    assert isinstance(kernel, System)
    uarts = _Uarts(kernel)
    return Module(
        "uart",
        {
            "setup": uarts.setup,
            "getconfig": uarts.getconfig,
            "write": uarts.write,
            "on": uarts.on,
            "alt": uarts.alt,
            "fifodepth": uarts.fifodepth,
            "STOPBITS_1": 1,
            "STOPBITS_1_5": 3,
            "STOPBITS_2": 2,
            "PARITY_NONE": 0,
            "PARITY_EVEN": 1,
            "PARITY_ODD": 2,
            "DIR_RX": _DIR_RX,
            "DIR_TX": _DIR_TX,
        },
    )
