"""The NodeMCU firmware as it boots from flash: banner, init.lua, prompt.

Order of things at boot: app/user/user_main.c, app/lua53/lua.c `pmain` (shared by 5.1); of 2.x: app/user/user_main.c and
app/lua/lua.c of release 2.2.1.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bridge.virtual.chip import rcr
from bridge.virtual.modules import BUILDERS
from bridge.virtual.modules.newer import without_newer
from bridge.virtual.sdk.console import Prompt
from bridge.virtual.sdk.console_2x import Console2x
from bridge.virtual.sdk.kernel import BootReason, Halted, Priority, TaskQueueFull
from bridge.virtual.sdk.line_input import DataHandler, LineInput
from bridge.virtual.sdk.stdin import StdinPipe
from bridge.virtual.sdk.system import System
from bridge.virtual.sdk.uart import Transmit
from bridge.virtual.statistics import Statistics

if TYPE_CHECKING:
    from bridge.virtual.chip.flash import FlashMemory
    from bridge.virtual.chip.image import ImageFacts
    from bridge.virtual.lwip.stack import NetworkStack
    from bridge.virtual.options import VirtualOptions

#: STARTUP_OPTION_… of app/platform/platform.h.
NO_BANNER, CPU_FREQ_MAX, DELAY_MOUNT = 1, 2, 4
_INIT = b"@init.lua"


class Firmware:
    """One boot of the firmware.

    Args:
        options: how the board is made.
        image: what the flashed image says of itself.
        flash: the flash chip.
        boot: why the chip was reset.
        network_factory: makes the boot's network stack from its kernel.
        transmit: takes bytes, the board time at which the first start bit leaves, and the baud.
        reset: told the reason and the board time at which the chip is to reset.
        rng: everything random on this board.
        statistics: told what the board does.
    """

    def __init__(
        self,
        *,
        options: VirtualOptions,
        image: ImageFacts,
        flash: FlashMemory,
        boot: BootReason,
        network_factory: Callable[[Any], NetworkStack],
        transmit: Transmit,
        reset: Callable[[BootReason, float], None],
        rng: random.Random,
        statistics: Statistics | None = None,
    ) -> None:
        self.system = System(
            options=options, image=image, flash=flash, boot=boot, network_factory=network_factory,
            transmit=transmit, reset=reset, rng=rng, statistics=statistics or Statistics(),
        )  # fmt: skip
        system = self.system
        system.console = self
        self._prompt = Prompt(system.lua)
        self._stdin = StdinPipe(self._post_stdin, self._prompt.run_line)
        self._old = Console2x(system.lua, system.uart, system.put, echo=options.echo)
        self._input = self._old if image.is_2x else LineInput(system.uart, self, echo=options.echo)
        self._isr_flag = self._task_flag = 0
        self._listening = False
        system.uart.on_received = self._received

    # -- life -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to run, now."""
        self.system.event(self._main)

    def receive(self, data: bytes) -> None:
        """Bytes come off the line now."""
        if not self.system.stopped:
            self.system.uart.receive(data)

    def room(self) -> int:
        """Bytes that the board can take now without losing any: none while a task runs.

        One that loses the oldest, where nothing else would ever be taken: a ring that was filled while the console was
        not there yet is read when the interrupt of the next byte posts the task for it.
        """
        if self.system.tasks.busy:
            return 0
        unread = self._listening and self._isr_flag == self._task_flag
        return self.system.uart.room or (1 if unread else 0)

    def hold_cpu(self) -> None:
        """No task runs until `release_cpu`; the UART's interrupt goes on."""
        self.system.tasks.hold()

    def release_cpu(self) -> None:
        """Tasks run again."""
        self.system.tasks.release()

    @property
    def takes_lines(self) -> bool:
        """True in line mode: a line end in the input may start a task before the next byte is there."""
        return self._input.run_input

    @property
    def baud(self) -> int:
        """Speed of UART0."""
        return self.system.uart.settings.baud

    def stop(self) -> None:
        """End the boot; nothing of it happens any more."""
        self.system.stop()

    # -- boot -------------------------------------------------------------------------------------------------------

    def _main(self) -> None:
        system = self.system
        system.doing("boot")
        is_2x = system.image.is_2x
        option = 0 if is_2x else rcr.startup_option(system.flash)
        if is_2x:
            system.print(b"\n")
        if option & CPU_FREQ_MAX:
            system.cpu.mhz = 160
        for name in system.image.modules:
            if name in BUILDERS:
                module = BUILDERS[name](system)
                system.register(without_newer(module) if is_2x else module)
        if "file" in system.image.modules and not option & DELAY_MOUNT:
            system.read_file(b"")
        system.start_collector()
        if is_2x:
            system.print(b"\n" + system.image.banner.encode("latin-1") + b"\n")
            self._old.start(_INIT)
            system.set_collector(4, 4096)
            self._listening = True
            return
        self._listening = True
        self._stdin.write(b" \n")
        if not option & NO_BANNER:
            system.print(b"\n" + system.image.banner.encode("latin-1") + b"\n")
        command = rcr.read(system.flash, rcr.Record.INIT_STRING)
        self._prompt.run_init(command.rstrip(b"\0") if command else _INIT)

    # -- console ----------------------------------------------------------------------------------------------------

    @property
    def prompt(self) -> bytes:
        """What an empty line is answered with."""
        return self._prompt.text

    def put_line(self, line: bytes) -> None:
        """A line from the UART (`lua_input_string`): a failure is unprotected."""
        try:
            self._stdin.write(line)
        except TaskQueueFull:
            self.system.panic(b"Task queue overflow. Task not posted")
            raise Halted from None

    def crash(self) -> None:
        """The CPU takes an exception."""
        self.system.crash()

    def feed(self, text: bytes) -> None:
        """`node.input`; raises TaskQueueFull, and on 2.x forgets what cannot be run."""
        if not self.system.image.is_2x:
            self._stdin.write(text)
        elif self._old.put_line(text):
            with contextlib.suppress(TaskQueueFull):
                self.system.post(Priority.LOW, self._force_input)

    def set_receiver(self, handler: DataHandler | None, length: int, end: int, run_input: bool) -> None:
        """`input_setup_receive`."""
        self._input.set_receiver(handler, length, end, run_input)

    def set_echo(self, echo: bool) -> None:
        """`input_setecho`."""
        self._input.echo = echo

    def _force_input(self) -> Any:
        self.system.doing("console line")
        return self._old.force()

    def _post_stdin(self, task: Callable[[], None]) -> None:
        def protected() -> None:
            self.system.doing("console line")
            try:
                task()
            except TaskQueueFull:
                where = b"[C]: ?" if self.system.lua.version == "5.1" else b"[C]: in ?"
                self.system.lua.leaked.append(None)
                self.system.report(b"Task queue overflow. Task not posted\nstack traceback:\n\t" + where)

        self.system.post(Priority.LOW, protected)

    def _received(self) -> None:
        # The interrupt posts the input task unless one is on its way; a post that fails is not tried again.
        if not self._listening or self._isr_flag != self._task_flag:
            return
        self._isr_flag ^= 1
        flag = self._isr_flag
        try:
            priority = Priority.LOW if self.system.image.is_2x else Priority.HIGH
            self.system.post(priority, lambda: self._take_input(flag))
        except TaskQueueFull:
            pass

    def _take_input(self, flag: int) -> Any:
        self._task_flag = flag
        self.system.doing("console input")
        return self._input.drain()
