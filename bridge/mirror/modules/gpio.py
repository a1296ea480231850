"""`board.gpio`: the module `gpio` (app/modules/gpio.c, release 3.0.0). Pins are counted as on a dev kit: 4 is D4."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from bridge.errors import UsageError
from bridge.mirror.lua import TableSource
from bridge.mirror.modules.face import Face, check_busy, check_whole
from bridge.mirror.modules.relay import Relays
from bridge.mirror.modules.text import to_name, to_text

#: D9 and D10 are RX and TX of UART 0.
LINE_PINS = (9, 10)
# Delays travel as text: as a table 255 of them are too long for one message.
_SEROUT = """
local pin, level, text, cycles, done = ...
local delays = {}
for delay in text:gmatch("%d+") do delays[#delays + 1] = tonumber(delay) end
gpio.serout(pin, level, delays, cycles, done)
"""


class GpioConstants:
    """Constants of `gpio`."""

    INPUT = 0
    OUTPUT = 1
    INT = 2
    OPENDRAIN = 3
    LOW = 0
    HIGH = 1
    FLOAT = 0
    PULLUP = 1


class Gpio(GpioConstants, Face):
    """Digital pins, 0 (D0, GPIO16) to 12."""

    MODULE: ClassVar[str] = "gpio"

    def __init__(self, tables: TableSource) -> None:
        super().__init__(tables)
        self._relays = Relays()

    async def mode(self, pin: int, mode: int, pullup: int | None = None) -> None:
        """Say what a pin does.

        Stock behaviour to know: D0 knows no interrupt, no pull-up and no open drain; any mode but `INT` removes what
        `trig` has set. D11 and D12 belong to the flash chip on most modules: touching them may stop the board.

        Args:
            pin: 0 to 12; 9 and 10 are refused.
            mode: `OUTPUT`, `OPENDRAIN`, `INPUT` or `INT` (an input with interrupts).
            pullup: `PULLUP` or `FLOAT` (so if None).

        Raises:
            UsageError: D9 or D10, which are the line that the bridge talks over; or what is no whole number.
            LuaError: "Invalid pin", "wrong arg type" (the mode).
        """
        check_whole(pin, "A pin")
        if pin in LINE_PINS:
            raise UsageError(
                f"D{pin} is {'RX' if pin == 9 else 'TX'} of the line that the bridge talks over",
                remedy="Use another pin.",
            )
        await self._call("mode", pin, mode, pullup)

    async def read(self, pin: int) -> int:
        """Level at a pin, `LOW` or `HIGH`.

        Raises:
            LuaError: "gpio 13 does not exist".
        """
        return int(await self._one("read", pin))

    async def write(self, pin: int, level: int) -> None:
        """Set the level of an output.

        Raises:
            LuaError: "gpio 13 does not exist", "wrong level type".
        """
        await self._call("write", pin, level)

    async def trig(self, pin: int, type: str | None = None, callback: Callable[..., Any] | None = None) -> None:
        """Be called when the level at a pin changes; the pin is in the mode `INT`.

        A flood of interrupts never stops the board or this program: the board counts those that come while one is
        being handled (`eventcount`), and drops calls that the line cannot carry, which the board's "fault" handler
        hears of once.

        Args:
            pin: 1 to 12; D0 has no interrupt.
            type: "up", "down" or "both". None or "none" removes the callback. "low" and "high" are refused: stock calls
                again and again as long as the level lasts, and the board has no time left for the line.
            callback: called with the level, the time in µs as `tmr.now` counts it, and how many interrupts this
                call stands for. None keeps the one before.

        Raises:
            UsageError: "low" or "high".
            LuaError: "Invalid interrupt pin", "invalid option 'sideways'" (the type), "invalid callback type": there
                was none before.
        """
        if to_name(type) in (b"low", b"high"):
            raise UsageError(
                f"gpio.trig would call without a pause while the pin is {to_text(type)}, and the link would end",
                remedy='Use "up", "down" or "both", or a function on the board by board.exec.',
            )
        table = await self._tables()
        relay = self._relays.at(table, pin, f"gpio.trig of D{pin}", farewell=("gpio.trig", pin))
        if type in (None, "none") or callback is None:
            await self._call("trig", pin, type)
            if type in (None, "none"):
                relay.function = None
            return
        before, relay.function = relay.function, callback
        try:
            await table.call("gpio.trig", pin, type, relay)
        except BaseException:
            relay.function = before
            raise

    async def serout(
        self,
        pin: int,
        start_level: int,
        delay_times: Iterable[int],
        cycle_num: int | None = None,
        callback: Callable[[], Any] | int | None = None,
    ) -> None:
        """Write a sequence of levels, each the opposite of the one before.

        Args:
            pin: 0 to 12.
            start_level: `LOW` or `HIGH`.
            delay_times: µs that each level lasts, at most 255 of them. Without a callback the board does nothing else
                meanwhile; all cycles should take no more than 15 ms, or Wi-Fi suffers. With one, at least 50 µs each.
            cycle_num: how often the sequence is written; None is once.
            callback: called without arguments when it is done; a number calls nobody. With either this ends at once,
                and the chip's hardware timer does the work, one sequence at a time.

        Raises:
            UsageError: a delay is no whole number from 0 to 2³¹-1. Without a callback: fewer cycles than one (the
                board would never come back), or longer than the link waits.
            LuaError: "Invalid pin", "Wrong level type", "Invalid delay_times" (too many), "Unable to initialize
                timer": a sequence is being written, or another module has the timer.
        """
        delays = list(delay_times) if isinstance(delay_times, Iterable) else [None]
        if not all(isinstance(delay, int) and 0 <= delay < 1 << 31 for delay in delays):
            raise UsageError("A delay of gpio.serout is a whole number of µs", remedy="Use 0 to 2147483647.")
        if callback is None and cycle_num is not None and cycle_num < 1:
            raise UsageError(
                f"gpio.serout with {cycle_num} cycles would keep the board busy for ever", remedy="Use 1 or more."
            )
        table = await self._tables()
        done: object = callback
        if callable(callback):
            relay = self._relays.at(table, "serout", "gpio.serout")
            relay.function = callback
            done = relay
        if callback is None:
            check_busy(sum(delays) * (cycle_num or 1), "gpio.serout")
        text = ",".join(map(str, delays))
        await table.run_lua(_SEROUT, pin, start_level, text, cycle_num, done)
