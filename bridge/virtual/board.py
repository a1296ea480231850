"""A whole virtual board: flash, chip, network and line, assembled and powered from one USB plug."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from random import Random
from types import TracebackType
from typing import Self

from bridge.ports.base import CONSOLE_BAUD
from bridge.virtual.chip import layout, rcr
from bridge.virtual.chip.chip import Chip
from bridge.virtual.chip.efuse import mac_address
from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.chip.provision import provision_if_empty
from bridge.virtual.clock import is_virtual
from bridge.virtual.cost import load_costs
from bridge.virtual.line import Line
from bridge.virtual.loopback import free_address, give_back
from bridge.virtual.lwip.network import Network, make_network
from bridge.virtual.options import VirtualOptions
from bridge.virtual.spiffs import format_region
from bridge.virtual.statistics import Statistics

#: The board's address where no host has to reach it: the one of the recordings.
MEMORY_ADDRESS = "10.77.0.2"
#: Silence, in seconds, after which a board without a prompt counts as having said what it says at boot.
QUIET_S = 1.0

Deliver = Callable[[bytes], None]


class VirtualBoard:
    """A NodeMCU board without hardware. Everything is called on the event loop that `start` ran on.

    Its clock is that of the loop: the wall clock, or the virtual one (`bridge.virtual.clock`). The host's end of the
    line is `host_write`, `set_host_receiver`, `set_host_baud` and `set_lines`; `bridge.virtual.port.VirtualPort` makes
    a port of it.

    Args:
        options: what the board is like; `start` fills in what they leave open (address, network).
    """

    def __init__(self, options: VirtualOptions | None = None) -> None:
        self.options = options or VirtualOptions()
        #: The speed the host's adapter is set to; kept over an unplug.
        self.host_baud = CONSOLE_BAUD
        #: Called with no arguments when the board is unplugged; the host's ends of it are dead from then on.
        self.on_unplug: list[Callable[[], None]] = []
        self.chip: Chip
        self.flash: FlashMemory
        self.line: Line
        self.network: Network
        #: What the board did, over all its boots; `reset()` starts the counters anew.
        self.statistics = Statistics()
        self._receivers: dict[str, Deliver] = {}
        self._lines = (False, False)
        self._plugged = False
        self._started = False
        self._own_address: str | None = None
        self._faults: list[asyncio.TimerHandle] = []
        self._tail = b""
        self._heard_until: float | None = None
        self._prompted = asyncio.Event()

    async def start(self) -> None:
        """Make the board as it comes from the shop (or as its flash file left it), and plug it in.

        Raises:
            UsageError: the options describe no board that could be; a flash or calibration file does not fit.
            ImageError: the factory firmware could not be made.
        """
        loop = asyncio.get_running_loop()
        virtual = is_virtual(loop)
        options = self.options
        network = options.network
        if network == "auto":
            network = "memory" if virtual else "host"
        address = options.address
        if address is None:
            address = self._own_address = free_address() if network == "host" else MEMORY_ADDRESS
        options = dataclasses.replace(options, network=network, address=address)
        # The station's address is that of the fuses, whoever asks for it.
        mac = mac_address(options).hex(":")
        self.options = options = dataclasses.replace(options, mac=mac)
        load_costs(options.calibration)  # each boot reads it again; a bad one is for the caller to hear of, now
        self.flash = FlashMemory(options.flash_size, options.flash_file)
        self.flash.factor = options.flash
        self._started = True
        try:
            if await provision_if_empty(self.flash, options):
                _format_factory(self.flash)
            self.flash.statistics = self.statistics
            self.network = make_network(options, address, Random(f"{options.seed} network"))
            self.chip = Chip(
                options,
                self.flash,
                network_factory=self.network.factory,
                transmit=self._transmit,
                cut=lambda t: self.line.cut(t),
                rng=Random(f"{options.seed} chip"),
                statistics=self.statistics,
            )
        except BaseException:
            await self.close()
            raise
        self._line_seed = Random(f"{options.seed} line")
        self.plug()
        for seconds, fault in (
            (options.reset_after_s, self.reset),
            (options.brown_out_after_s, self.brown_out),
            (options.watchdog_after_s, self.starve_watchdog),
            (options.unplug_after_s, self.unplug),
        ):
            if seconds:
                self._faults.append(loop.call_later(seconds, fault))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    # -- The USB plug -----------------------------------------------------------------------------------------------

    @property
    def plugged(self) -> bool:
        """True while the board is plugged in, and so has power."""
        return self._plugged

    def plug(self) -> None:
        """Plug the board in: it gets power and boots. Does nothing when it is plugged in."""
        if self._plugged:
            return
        self._plugged = True
        self.line = Line(
            self.options,
            seed=self._line_seed,
            deliver=self._deliver,
            statistics=self.statistics,
            clear_boot_text=self.options.boot_text == "clear",
        )
        self.line.set_host_baud(self.host_baud)
        self.line.attach(self.chip)
        self.chip.on_room = self.line.chip_has_room
        self._listen_anew()
        self.chip.power_on()

    def unplug(self) -> None:
        """Pull the plug: no power, and the port is gone from the host. Does nothing when it is out."""
        if not self._plugged:
            return
        self._plugged = False
        self.chip.power_off()
        self.line.close()
        for gone in list(self.on_unplug):
            gone()

    def brown_out(self) -> None:
        """Let the supply dip: the chip starts again, the port stays. Does nothing when the board is unplugged."""
        if self._plugged:
            self._listen_anew()
            self.chip.brown_out()

    def starve_watchdog(self) -> None:
        """Let the hardware watchdog bite, whatever runs. Does nothing when the board is unplugged."""
        if self._plugged:
            self._listen_anew()
            self.chip.starve_watchdog()

    def hold_cpu(self) -> None:
        """Let the firmware stand still until `release_cpu`, a reset or a new power-on, whichever comes first.

        It is what a long task of the SDK's own does to it: interrupts go on, so that bytes reach the ring of 256, which
        keeps the last of them (app/driver/uart.c), and what was sent already leaves; no task, timer or network event is
        dispatched. The watchdog is fed meanwhile. Does nothing unless the firmware runs.
        """
        self.chip.hold_cpu()

    def release_cpu(self) -> None:
        """Let the firmware go on after `hold_cpu`."""
        self.chip.release_cpu()

    def reset(self) -> None:
        """Press the reset button. Does nothing when the board is unplugged."""
        if self._plugged:
            self._listen_anew()
            self.chip.reset()

    # -- The host's end of the line ---------------------------------------------------------------------------------

    def set_host_receiver(self, receiver: Deliver | None, *, end: str = "host") -> None:
        """Say who gets the bytes that reach the host; with None they are lost, as on a port nobody has open.

        Args:
            receiver: called on the event loop with each piece.
            end: which of several programs that share the adapter; each end has its own receiver.
        """
        if receiver is None:
            self._receivers.pop(end, None)
        else:
            self._receivers[end] = receiver

    def host_write(self, data: bytes) -> None:
        """Bytes from the host, for the board; lost when it is unplugged."""
        if self._plugged:
            self.line.write(data)

    @property
    def queued(self) -> int:
        """Bytes from the host that are not on the wire yet."""
        return self.line.queued

    async def drain(self) -> None:
        """Wait until everything the host wrote is over on the wire."""
        await self.line.drain()

    def host_purge(self) -> None:
        """Forget what the host wrote and the adapter has not sent yet."""
        self.line.purge()

    def set_host_baud(self, baud: int) -> None:
        """Set the speed of the host's adapter, in baud, at once."""
        self.host_baud = baud
        if self._plugged:
            self.line.set_host_baud(baud)

    def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        """Drive the adapter's modem lines: True is asserted (electrically low), None leaves a line as it is."""
        self._lines = (self._lines[0] if dtr is None else dtr, self._lines[1] if rts is None else rts)
        if self._plugged:
            self.chip.set_lines(*self._lines)

    async def answered(self, timeout: float = 10.0) -> bool:
        """Wait until the board has said what it says after power-on or a reset, and the host has it.

        That is a prompt, or some text and then a second's silence (an application that takes the console over, a
        boot that failed).

        Args:
            timeout: seconds.

        Returns:
            False if the board said nothing at all in that time.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while not self._prompted.is_set() and (now := loop.time()) < deadline:
            if self._heard_until is None:
                until = deadline
            elif (until := self._heard_until + QUIET_S) <= now:
                break
            try:
                async with asyncio.timeout_at(min(until, now + QUIET_S, deadline)):
                    await self._prompted.wait()
            except TimeoutError:
                continue
        if self._heard_until is None:
            return False
        delivered = self._heard_until + self.options.adapter_latency_ms / 1000.0
        await asyncio.sleep(max(0.0, delivered - loop.time()) + 0.001)
        return True

    async def close(self) -> None:
        """Unplug the board for good and give back its sockets, its address and its flash file."""
        if not self._started:
            return
        self._started = False
        for fault in self._faults:
            fault.cancel()
        self.on_unplug.clear()
        self._receivers.clear()
        self.unplug()
        if hasattr(self, "network"):
            await self.network.close()
        self.flash.close()
        if self._own_address is not None:
            give_back(self._own_address)

    def _transmit(self, data: bytes, t: float, baud: int) -> None:
        self.line.transmit(data, t, baud)
        self._heard_until = max(t, self._heard_until or t) + (10 * len(data) / baud if self.options.baud_pacing else 0)
        self._tail = (self._tail + data)[-3:]
        if self._tail.endswith(b"\n> "):
            self._prompted.set()

    def _listen_anew(self) -> None:
        self._tail = b""
        self._heard_until = None
        self._prompted.clear()

    def _deliver(self, data: bytes) -> None:
        for receiver in tuple(self._receivers.values()):
            receiver(data)


def _format_factory(flash: FlashMemory) -> None:
    """Give a board from the shop its file system: formatting takes half a minute, and a shop has tried its boards."""
    table = rcr.partition_table(flash)
    region = layout.find(table, layout.PartitionType.SPIFFS0) if table else None
    if region is not None:
        format_region(flash, region.address, region.size)
