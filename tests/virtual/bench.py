"""A firmware on the bench: it boots on the virtual clock, a test types at its console and reads what it says.

with a running virtual clock (`bridge.virtual.clock.run`):
    bench = await Bench.boot(lua="5.3")
    assert await bench.type("=1+1") == "=1+1\\r\\n2\\r\\n> "
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.chip.image import ImageFacts
from bridge.virtual.options import VirtualOptions
from bridge.virtual.sdk.firmware import Firmware
from bridge.virtual.sdk.kernel import BootReason
from bridge.virtual.statistics import Statistics

_BANNER = """NodeMCU 3.0.0.0 bench
\tbranch: release
\tcommit: 36cbf9f0
\trelease: bench
\trelease DTS: 202401010000
\tSSL: false
\tbuild type: float
\tLFS: 0x0 bytes total capacity
\tmodules: {modules}
 build bench powered by {lua} on SDK 3.0.1-dev(fce080e)"""
MODULES = "adc,bit,crypto,encoder,file,gpio,node,ow,pipe,sjson,struct,tmr,uart"


class Bench:
    """One board on the bench, with a UART that a test reads and writes. Boots again when it resets."""

    def __init__(self, options: VirtualOptions, flash: FlashMemory, network_factory: Any) -> None:
        self.options = options
        self.flash = flash
        flash.factor = options.flash
        #: What the board did.
        self.statistics = flash.statistics = Statistics()
        self.network_factory = network_factory
        self.resets: list[BootReason] = []
        self._output: list[tuple[float, bytes]] = []
        self._quiet_since = 0.0
        self._changed = asyncio.Event()
        self.firmware = self._make(BootReason(1, 0))

    @classmethod
    async def boot(
        cls,
        *,
        modules: str = MODULES,
        flash: FlashMemory | None = None,
        network_factory: Any = lambda kernel: None,
        **options: Any,
    ) -> Bench:
        """A board that has booted; what it said at boot is in `boot_text`."""
        if flash is None:
            flash = formatted_flash()
        bench = cls(VirtualOptions(modules=modules, **options), flash, network_factory)
        bench.boot_text = await bench.read(0.6)
        return bench

    boot_text: str = ""

    def _make(self, reason: BootReason) -> Firmware:
        lua = self.options.lua
        release = "Lua 5.1.4" if lua == "5.1" else "Lua 5.3.6"
        image = ImageFacts(
            lua=lua,
            number=self.options.number,
            modules=self.options.module_names,
            ssl=False,
            banner=_BANNER.format(modules=",".join(self.options.module_names), lua=release),
            lua_release=release,
            version=f"{self.options.firmware}.0",
        )
        firmware = Firmware(
            options=self.options,
            image=image,
            flash=self.flash,
            boot=reason,
            network_factory=self.network_factory,
            transmit=self._transmitted,
            reset=self._reset,
            rng=random.Random(self.options.seed),
            statistics=self.statistics,
        )
        firmware.start()
        return firmware

    def _transmitted(self, data: bytes, start: float, baud: int) -> None:
        self._output.append((start, data))
        self._quiet_since = max(self._quiet_since, start + len(data) * 10 / baud)

    def _reset(self, reason: BootReason, at: float) -> None:
        self.resets.append(reason)
        loop = asyncio.get_running_loop()
        loop.call_at(max(at, loop.time()), self._reboot, reason)

    def _reboot(self, reason: BootReason) -> None:
        self.firmware.stop()
        self.firmware = self._make(reason)

    async def send(self, data: bytes) -> None:
        """Put bytes on the line; they arrive at the console's pace."""
        loop = asyncio.get_running_loop()
        at = loop.time()
        for byte in data:
            at += 10 / self.firmware.baud
            loop.call_at(at, lambda byte=byte: self.firmware.receive(bytes([byte])))
        await asyncio.sleep(at - loop.time() + 1e-9)

    async def read(self, idle: float = 0.25, most: float = 10.0) -> str:
        """What came out, until the line was quiet for `idle` seconds or `most` seconds passed (latin-1)."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        last = max(began, self._quiet_since)
        while loop.time() < min(last + idle, began + most):
            await asyncio.sleep(min(last + idle, began + most) - loop.time() + 1e-6)
            last = max(last, self._quiet_since)
        now = loop.time()
        said = b"".join(data for start, data in self._output if start <= now)
        self._output = [(start, data) for start, data in self._output if start > now]
        return said.decode("latin-1")

    async def type(self, line: str | bytes, idle: float = 0.25, most: float = 10.0) -> str:
        """Type a line and read what follows, echo included."""
        await self.send(line.encode("latin-1") + b"\n" if isinstance(line, str) else line + b"\n")
        return await self.read(idle, most)

    async def answer(self, line: str, idle: float = 0.25) -> str:
        """Type a line; what the board says between its echo and the prompt."""
        said = await self.type(line, idle)
        return said.partition("\r\n")[2].removesuffix("> ").removesuffix("\r\n")

    def close(self) -> None:
        """Take the board off the bench."""
        self.firmware.stop()


def formatted_flash() -> FlashMemory:
    """A flash chip as a board that has run before has it: partition table and an empty file system."""
    from bridge.virtual.chip import layout, rcr
    from bridge.virtual.spiffs import format_region

    flash = FlashMemory(4 * 1024 * 1024)
    flash.program(0, bytes([0xE9, 0, 2, layout.NIBBLE_OF_SIZE[flash.size] << 4]))
    table = layout.first_time_setup(layout.default_table(layout.IROM_ADDRESS + 0x80000), flash.size)
    rcr.write(flash, rcr.Record.PARTITION_TABLE, layout.pack_table(table))
    region = layout.find(table, layout.PartitionType.SPIFFS0)
    assert region is not None
    format_region(flash, region.address, region.size)
    return flash
