"""A chip on the virtual clock with nothing around it: what it sends is kept with its time and baud."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from bridge.virtual import clock
from bridge.virtual.chip.chip import Chip, Mode
from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.options import VirtualOptions

MB = 1 << 20


class Echo:
    """An application that says hello and echoes; keeps what it was given."""

    baud = 115_200

    def __init__(self, **services: Any) -> None:
        self.services = services
        self.stopped = False
        self.received = b""

    def start(self) -> None:
        self.say(b"hello " + ",".join(self.services["image"].modules).encode())

    def say(self, data: bytes) -> None:
        self.services["transmit"](data, asyncio.get_running_loop().time(), self.baud)

    def receive(self, data: bytes) -> None:
        self.received += data

    def room(self) -> int:
        return 42

    def stop(self) -> None:
        self.stopped = True


class Bench:
    """Chip, flash and what came out of it."""

    def __init__(self, flash: FlashMemory) -> None:
        self.flash = flash
        self.runs: list[tuple[bytes, float, int]] = []
        self.cuts: list[float] = []
        self.modes: list[Mode] = []
        self.applications: list[Echo] = []
        self.chip = Chip(
            VirtualOptions(flash_size=flash.size),
            flash,
            network_factory=lambda: None,
            transmit=lambda data, at, baud: self.runs.append((data, at, baud)),
            cut=self.cuts.append,
            rng=random.Random(1),
            application=self._application,
        )
        self._changed = asyncio.Event()
        self.chip.on_mode = self._mode_changed

    def _mode_changed(self, mode: Mode) -> None:
        self.modes.append(mode)
        self._changed.set()

    def _application(self, **services: Any) -> Echo:
        self.applications.append(Echo(**services))
        return self.applications[-1]

    @property
    def text(self) -> str:
        """Everything sent so far at the boot ROM's speed."""
        return b"".join(data for data, _, baud in self.runs if baud == 74_880).decode().replace("\r\n", "\n")

    async def until(self, mode: Mode, timeout: float = 20.0) -> None:
        """Wait until the chip is in this mode."""
        async with asyncio.timeout(timeout):
            while self.chip.mode is not mode:
                self._changed.clear()
                await self._changed.wait()


def run(flash: FlashMemory, play: Callable[[Bench], Awaitable[None]]) -> Bench:
    """Play with a chip on the virtual clock, and look at it afterwards."""

    async def main() -> Bench:
        bench = Bench(flash)
        await play(bench)
        bench.chip.power_off()
        return bench

    return clock.run(main())
