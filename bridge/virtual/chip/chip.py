"""The chip: from power and the EN pin through the boot ROM to the application or to download mode."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from bridge.virtual.chip import bootrom
from bridge.virtual.chip.download import Download
from bridge.virtual.chip.efuse import mac_address
from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.chip.lines import EN_RISE_S, SHORTEST_RESET_S, STRAP_READ_S, Levels, levels
from bridge.virtual.chip.loader import Exit
from bridge.virtual.chip.startup import Next, pre_init
from bridge.virtual.options import VirtualOptions
from bridge.virtual.sdk.kernel import BootReason
from bridge.virtual.statistics import Statistics

if TYPE_CHECKING:
    from bridge.virtual.chip.image import ImageFacts

#: Bytes for the line: data, board time at which the first start bit leaves (seconds on the loop's clock), baud.
Transmit = Callable[[bytes, float, int], None]

POWER_ON = BootReason(1, 0)
RESET_PIN = BootReason(2, 6)
SOFTWARE = BootReason(2, 4)
HARDWARE_WATCHDOG = BootReason(4, 1)

#: From the end of the boot text until the firmware has set its UART up, in seconds (SDK start, Wi-Fi calibration).
SDK_START_S = 0.06
#: The hardware watchdog bites this long after code has stopped feeding it, in seconds (SDK figure: 6 to 8).
HARDWARE_WATCHDOG_S = 7.0
#: A dip of the supply that the brown-out detector sees, in seconds.
BROWN_OUT_S = 0.02
#: Begins the line that says why a boot failed; a real chip prints nothing of the kind.
NOTE = "[virtual board] "
_AMPLE = 65_536


class Mode(Enum):
    """What the chip is doing."""

    OFF = "off"
    HELD = "held in reset"
    ROM = "boot ROM"
    STUCK = "stuck after a boot that failed"
    DOWNLOAD = "download mode"
    APPLICATION = "application"


class Application(Protocol):
    """What runs after a good boot: `bridge.virtual.sdk.firmware.Firmware`."""

    @property
    def baud(self) -> int: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def receive(self, data: bytes) -> None: ...

    def room(self) -> int: ...

    def hold_cpu(self) -> None: ...

    def release_cpu(self) -> None: ...

    @property
    def takes_lines(self) -> bool: ...


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
        application: makes what runs after a good boot; takes the arguments of `Firmware`.
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
        application: Callable[..., Application] | None = None,
        statistics: Statistics | None = None,
    ) -> None:
        self.options = options
        self.flash = flash
        self.mode = Mode.OFF
        #: Why the chip is stuck, one sentence; empty otherwise.
        self.why = ""
        #: Set by the line, called when the UART has room again; optional.
        self.on_room: Callable[[], None] | None = None
        #: Called with the mode at each change of it; for tests and for whoever waits for a boot.
        self.on_mode: Callable[[Mode], None] | None = None
        self._network_factory = network_factory
        self._transmit = transmit
        self._cut = cut
        self._rng = rng
        self._statistics = statistics or Statistics()
        self._make_application = application or _firmware
        self._mac = mac_address(options)
        self._levels = Levels()
        self._reason = POWER_ON
        self._application: Application | None = None
        self._download: Download | None = None
        self._image: ImageFacts | None = None
        # The one thing the chip waits for (end of a boot text, watchdog, EN's rise), and a pulse on EN being timed.
        self._next: asyncio.TimerHandle | None = None
        self._pulse: asyncio.TimerHandle | None = None

    @property
    def baud(self) -> int | None:
        """Speed of UART0 in baud; None while the ROM measures the host's (download mode before the first SYNC)."""
        if self._application is not None:
            return self._application.baud
        if self._download is not None:
            return self._download.baud
        return bootrom.BOOT_BAUD

    @property
    def application(self) -> Application | None:
        """The running firmware, or None."""
        return self._application

    @property
    def image(self) -> ImageFacts | None:
        """What the running firmware says of itself; None unless the application runs."""
        return self._image

    def power_on(self) -> None:
        """Apply power; boots unless EN is held low."""
        if self.mode is not Mode.OFF:
            return
        self._reason = POWER_ON
        self._set_mode(Mode.HELD)
        if self._levels.en:
            self._rise()

    def power_off(self) -> None:
        """Take the power away at once: the firmware, its sockets and all timers are gone on return."""
        if self.mode is Mode.OFF:
            return
        self._halt()
        self._set_mode(Mode.OFF)

    def reset(self) -> None:
        """Press and release the reset button (an external reset)."""
        if self.mode is Mode.OFF:
            return
        self._hold()
        if self._levels.en:
            self._rise()

    def brown_out(self) -> None:
        """Let the supply dip: the chip starts again as after power-on."""
        if self.mode is Mode.OFF:
            return
        self._hold()
        self._reason = POWER_ON
        if self._levels.en:
            self._later(BROWN_OUT_S, self._rise)

    def starve_watchdog(self) -> None:
        """Fault: the hardware watchdog bites now, whatever runs."""
        if self.mode not in (Mode.OFF, Mode.HELD):
            self._restart(HARDWARE_WATCHDOG)

    def hold_cpu(self) -> None:
        """Fault: the firmware stands still until `release_cpu`, or until the chip boots again."""
        if self._application is not None:
            self._application.hold_cpu()

    def release_cpu(self) -> None:
        """The firmware goes on."""
        if self._application is not None:
            self._application.release_cpu()

    def set_lines(self, dtr: bool, rts: bool) -> None:
        """The adapter's modem lines, True is asserted (low); they reach EN and GPIO0 through two transistors."""
        before, self._levels = self._levels, levels(dtr, rts)
        if self.mode is Mode.OFF or before.en == self._levels.en:
            return
        if not self._levels.en:
            self._pulse = asyncio.get_running_loop().call_later(SHORTEST_RESET_S, self._hold)
        elif self._pulse is not None:
            self._pulse.cancel()
            self._pulse = None
        else:
            self._rise()

    def receive(self, data: bytes, baud: int) -> None:
        """Bytes whose last bit has just arrived on UART0, sent at `baud`."""
        if self._application is not None:
            self._application.receive(data)
        elif self._download is not None:
            self._download.receive(data, baud)

    @property
    def takes_lines(self) -> bool:
        """True while the console reads lines: a line end may start a task before the next byte has arrived."""
        return self._application is not None and self._application.takes_lines

    def room(self) -> int:
        """Bytes that UART0 can take right now without losing any; 0 while a task runs."""
        return self._application.room() if self._application is not None else _AMPLE

    def _set_mode(self, mode: Mode) -> None:
        if mode is not Mode.STUCK:
            self.why = ""
        self.mode = mode
        if self.on_mode is not None:
            self.on_mode(mode)

    def _later(self, seconds: float, function: Callable[[], None]) -> None:
        if self._next is not None:
            self._next.cancel()
        self._next = asyncio.get_running_loop().call_later(seconds, function)

    def _quiet(self) -> None:
        """Stop whatever runs; what it has already sent still leaves."""
        for timer in (self._next, self._pulse):
            if timer is not None:
                timer.cancel()
        self._next = self._pulse = None
        application, self._application = self._application, None
        download, self._download = self._download, None
        self._image = None
        if application is not None:
            application.stop()
        if download is not None:
            download.stop()

    def _halt(self) -> None:
        """Stop whatever runs, in the middle of a bit."""
        self._quiet()
        self._cut(asyncio.get_running_loop().time())

    def _hold(self) -> None:
        """EN is low."""
        self._halt()
        self._reason = RESET_PIN
        self._set_mode(Mode.HELD)

    def _rise(self) -> None:
        """EN begins to rise."""
        self._later(EN_RISE_S + STRAP_READ_S, lambda: self._boot(self._reason))

    def _restart(self, reason: BootReason) -> None:
        """A reset from inside the chip."""
        self._quiet()
        self._boot(reason)

    def _boot(self, reason: BootReason) -> None:
        """The boot ROM starts; GPIO0 says which way it goes."""
        self._reason = reason
        self._set_mode(Mode.ROM)
        if not self._levels.gpio0:
            self._print(bootrom.greeting(reason.raw, download=True), self._enter_download)
        else:
            self._boot_flash()

    def _enter_download(self) -> None:
        self._download = Download(self.flash, self._mac, self._transmit, self._leave_download)
        self._set_mode(Mode.DOWNLOAD)

    def _leave_download(self, exit: Exit) -> None:
        match exit:
            case Exit.USER_CODE:
                self._quiet()
                self._set_mode(Mode.ROM)
                self._boot_flash()
            case Exit.REBOOT:
                self._restart(SOFTWARE)
            case _:
                # Code that somebody loaded to RAM: there is no CPU here to run it.
                self._quiet()
                self._stick("code that was loaded to RAM cannot run here", watchdog=True)

    def _boot_flash(self) -> None:
        boot = bootrom.flash_boot(self.flash, self._reason.raw)
        if boot.image is None:
            self._print(boot.text + NOTE + boot.why + "\n", lambda: self._stick(boot.why))
            return
        outcome = pre_init(self.flash, boot.image)
        text = boot.text + outcome.text
        match outcome.next:
            case Next.REBOOT:
                # A jump to the reset handler, not a reset: the ROM prints the same cause again.
                self._print(text, lambda: self._boot(self._reason), outcome.seconds)
            case Next.RUN:
                facts = outcome.facts
                assert facts is not None
                self._print(text, lambda: self._start(facts), outcome.seconds + SDK_START_S)
            case Next.HANG | Next.HALT as end:
                note = NOTE + outcome.why + "\n"
                self._print(text + note, lambda: self._stick(outcome.why, watchdog=end is Next.HANG))

    def _print(self, text: str, then: Callable[[], None], seconds: float = 0.0) -> None:
        """Send boot text, and go on when its last bit has left and `seconds` more have passed."""
        data = text.replace("\n", "\r\n").encode("latin-1")
        self._transmit(data, asyncio.get_running_loop().time(), bootrom.BOOT_BAUD)
        self._later(len(data) * 10 / bootrom.BOOT_BAUD + seconds, then)

    def _stick(self, why: str, *, watchdog: bool = False) -> None:
        self.why = why
        self._set_mode(Mode.STUCK)
        self._next = None
        if watchdog:
            self._later(HARDWARE_WATCHDOG_S, lambda: self._restart(HARDWARE_WATCHDOG))

    def _start(self, facts: ImageFacts) -> None:
        self._next = None
        self._image = facts
        application = self._make_application(
            options=self.options,
            image=facts,
            flash=self.flash,
            boot=self._reason,
            network_factory=self._network_factory,
            transmit=self._transmit,
            reset=self._reset_by_firmware,
            rng=random.Random(self._rng.random()),
            statistics=self._statistics,
        )
        self._application = application
        self._set_mode(Mode.APPLICATION)
        application.start()

    def _reset_by_firmware(self, reason: BootReason, at: float) -> None:
        """The firmware's way to restart: at a board time, in seconds on the loop's clock."""
        loop = asyncio.get_running_loop()
        if self._next is not None:
            self._next.cancel()
        # Never in the caller's own task: it may be in the middle of a Lua call.
        self._next = loop.call_at(max(at, loop.time()), lambda: self._restart(reason))


def _firmware(**services: Any) -> Application:
    # Imported when first needed: the firmware pulls in the Lua VM, which a board in download mode does without.
    from bridge.virtual.sdk.firmware import Firmware

    return Firmware(**services)
