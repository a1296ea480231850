"""Download mode on the event loop: moves bytes and time between the line and a loader (ROM first, then a stub)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.chip.loader import Exit, Loader
from bridge.virtual.chip.registers import AddressSpace
from bridge.virtual.chip.rom import RomLoader
from bridge.virtual.chip.stub import StubLoader


class Download:
    """A chip in download mode.

    Args:
        flash: the board's flash.
        mac: six bytes.
        transmit: takes bytes, the board time at which they begin to leave, and their baud.
        leave: called once when the loader ends otherwise than by starting a stub.
    """

    def __init__(
        self,
        flash: FlashMemory,
        mac: bytes,
        transmit: Callable[[bytes, float, int], None],
        leave: Callable[[Exit], None],
    ) -> None:
        self._space = AddressSpace(flash, mac)
        self._space.gpio0 = False
        self._flash = flash
        self._rom = RomLoader(flash, self._space)
        self._loader: Loader = self._rom
        self._transmit = transmit
        self._leave = leave
        self._timer: asyncio.TimerHandle | None = None

    @property
    def baud(self) -> int | None:
        """Speed in baud; None while the host's is being measured."""
        return self._loader.baud or None

    def receive(self, data: bytes, baud: int) -> None:
        """Bytes that have just arrived, sent at `baud`."""
        now = asyncio.get_running_loop().time()
        if self._loader is self._rom:
            self._rom.receive_at(data, now, baud)
        else:
            self._loader.receive(data, now)
        self._after_work()

    def stop(self) -> None:
        """Work on nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _after_work(self) -> None:
        self.stop()
        for output in self._loader.take_outputs():
            self._transmit(output.data, output.at, output.baud)
        loop = asyncio.get_running_loop()
        if self._loader.exit is Exit.STUB:
            self._loader = StubLoader(self._flash, self._space, self._loader.baud, self._loader.busy_until)
            self._after_work()
        elif self._loader.exit is not None:
            self._timer = loop.call_at(self._loader.busy_until, self._leave, self._loader.exit)
        elif self._loader.deadline is not None:
            self._timer = loop.call_at(self._loader.deadline, self._run)

    def _run(self) -> None:
        # The loop may call a little early by its clock's resolution; the loader would then wait for ever.
        now = asyncio.get_running_loop().time()
        deadline = self._loader.deadline
        self._loader.run(max(now, deadline) if deadline is not None else now)
        self._after_work()
