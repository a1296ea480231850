"""The chip: from power and the EN pin through the boot ROM to the application or to download mode."""

from __future__ import annotations

import random
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any

from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.options import VirtualOptions

if TYPE_CHECKING:
    from bridge.virtual.chip.image import ImageFacts

#: Bytes for the line: data, board time at which the first start bit leaves (seconds on the loop's clock), baud.
Transmit = Callable[[bytes, float, int], None]


class Mode(Enum):
    """What the chip is doing."""

    OFF = "off"
    HELD = "held in reset"
    ROM = "boot ROM"
    STUCK = "stuck after a boot that failed"
    DOWNLOAD = "download mode"
    APPLICATION = "application"


class Chip:
    """An ESP8266 between its flash and its UART0. All methods are called on the event loop.

    Args:
        options: of the virtual board.
        flash: its flash; stays the caller's to close.
        network_factory: handed on to the firmware at each boot.
        transmit: takes what leaves on UART0.
        cut: called with a board time when the chip loses power or is reset from outside: bytes whose stop bit
            would be later never leave. Not called for a restart by software.
        rng: source of what differs from boot to boot.
    """

    def __init__(
        self,
        options: VirtualOptions,
        flash: FlashMemory,
        *,
        network_factory: Callable[..., Any],
        transmit: Transmit,
        cut: Callable[[float], None],
        rng: random.Random,
    ) -> None:
        self.options = options
        self.flash = flash
        self.mode = Mode.OFF
        #: Set by the line, called when the UART has room again; optional.
        self.on_room: Callable[[], None] | None = None
        #: Called with the mode at each change of it; for tests and for whoever waits for a boot.
        self.on_mode: Callable[[Mode], None] | None = None

    @property
    def baud(self) -> int | None:
        """Speed of UART0 in baud; None while the ROM measures the host's (download mode before the first SYNC)."""
        raise NotImplementedError

    @property
    def image(self) -> ImageFacts | None:
        """What the running firmware says of itself; None unless the application runs."""
        raise NotImplementedError

    def power_on(self) -> None:
        """Apply power; boots unless EN is held low."""
        raise NotImplementedError

    def power_off(self) -> None:
        """Take the power away at once: the firmware, its sockets and all timers are gone on return."""
        raise NotImplementedError

    def reset(self) -> None:
        """Press and release the reset button (an external reset)."""
        raise NotImplementedError

    def brown_out(self) -> None:
        """Let the supply dip: the chip starts again as after power-on."""
        raise NotImplementedError

    def starve_watchdog(self) -> None:
        """Fault: the hardware watchdog bites now, whatever runs."""
        raise NotImplementedError

    def set_lines(self, dtr: bool, rts: bool) -> None:
        """The adapter's modem lines, True is asserted (low); they reach EN and GPIO0 through two transistors."""
        raise NotImplementedError

    def receive(self, data: bytes, baud: int) -> None:
        """Bytes whose last bit has just arrived on UART0, sent at `baud`."""
        raise NotImplementedError

    def room(self) -> int:
        """Bytes that UART0 can take right now without losing any; 0 while a task runs."""
        raise NotImplementedError
