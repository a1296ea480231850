"""One boot of the firmware: the services of the SDK that modules, console and Lua are built on.

Implements `bridge.virtual.sdk.kernel.Kernel`. A new one is made at each boot and ends with it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from bridge.virtual.cost import CostModel, load_costs
from bridge.virtual.heap.model import HeapModel
from bridge.virtual.heap.state import BoardLua
from bridge.virtual.interrupt import Interrupt
from bridge.virtual.lua.api import Args, LuaFault, LuaObject, Module, ObjectType, Value
from bridge.virtual.lua.chunk import Proto
from bridge.virtual.lua.runtime import Runtime, panic_text
from bridge.virtual.sdk.account import Account
from bridge.virtual.sdk.cpu import ENDLESS_S, WATCHDOG_S, BoardCpu
from bridge.virtual.sdk.garbage import collectgarbage
from bridge.virtual.sdk.kernel import BootReason, Halted, Priority, TaskQueueFull
from bridge.virtual.sdk.tasks import Scheduler, SdkTimer
from bridge.virtual.sdk.uart import Transmit, Uart
from bridge.virtual.statistics import Statistics

if TYPE_CHECKING:
    from bridge.virtual.chip.flash import FlashMemory
    from bridge.virtual.chip.image import ImageFacts
    from bridge.virtual.lwip.stack import NetworkStack
    from bridge.virtual.options import VirtualOptions

#: What a restart of each kind leaves for `node.bootreason()` (docs/modules/node.md).
RESTARTED = BootReason(2, 4)
SOFT_WATCHDOG = BootReason(4, 3)
CRASHED = BootReason(2, 2, (0, 0, 0, 0, 0, 0))
#: Until `system_restart` is through: it waits for the UART and lets Wi-Fi say goodbye.
_RESTART_S = 0.02
#: DELAY2SEC of app/modules/node.c.
_ONERROR_RESTART_S = 2.0
#: A real chip says nothing of the kind.
STANDS_STILL = b"[virtual board] Lua computed for %d s in one task; the board stands still until it is reset."
INTERRUPTED = b"[virtual board] Lua was interrupted; the board stands still until it is reset."
_OVERFLOW = "Task queue overflow. Task not posted"


class System:
    """The kernel of one boot.

    Args:
        options: how the board is made.
        image: what the flashed image says of itself.
        flash: the flash chip.
        boot: why the chip was reset.
        network_factory: makes the boot's network stack.
        transmit: takes what leaves UART0.
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
        statistics: Statistics,
    ) -> None:
        self.options = options
        self.image = image
        self.flash = flash
        self.boot = boot
        self.random = rng
        self._reset = reset
        self.statistics = statistics
        self._loop = asyncio.get_running_loop()
        self.cpu = BoardCpu(self._loop, options.cpu, self._watchdog)
        self.tasks = Scheduler(self._loop, self.cpu, self._after_task, self._halted, statistics.task, self._waits)
        self.uart = Uart(self.cpu, transmit, paced=options.baud_pacing, lost=self._lost)
        self._on_reset: list[Callable[[], None]] = []
        self._restart: tuple[BootReason, float, bytes] | None = None
        self.stopped = False
        self.parts: dict[str, Any] = {}
        #: The Lua function of `node.setonerror`, or None for the built-in one.
        self.onerror: Value = None
        self._onerror_timer: SdkTimer | None = None
        #: The console, for the modules that steer it.
        self.console: Any = None
        self.costs = make_costs(options)
        #: Collector mode and limit of `node.egc.setmode` (5.1): ALWAYS with 4096 at boot.
        self.egc_mode, self.egc_limit = 4, 4096
        self.lua = Runtime(image.lua, self, object_types(), is_2x=image.is_2x, integers=image.number == "integer")
        self.heap = make_heap(options, self)
        self.account = Account(
            self.lua, self.heap, self.costs, self.cpu.charge, free=options.cpu == 0, told=self._collected
        )
        self.cpu.settle = self.account.settle
        self.tasks.is_halt = self.lua.answers.stopped_by
        self._interrupt = Interrupt(self._loop)
        self.network: NetworkStack = network_factory(self)

    # -- kernel -----------------------------------------------------------------------------------------------------

    def post(self, priority: Priority, function: Callable[[], Any]) -> None:
        """Queue a task; raises TaskQueueFull."""
        self.tasks.post(priority, function)

    def event(self, function: Callable[[], Any]) -> None:
        """Run a callback of the SDK between tasks."""
        self.tasks.event(function)

    def after(self, seconds: float, function: Callable[[], None]) -> SdkTimer:
        """Run a callback of the SDK after a delay."""
        return self.tasks.after(seconds, function)

    def register(self, module: Module) -> None:
        """Make a module visible to Lua, if the image lists it."""
        if module.name in self.image.modules:
            self.lua.add_module(module)

    def allocates(self) -> None:
        """Lua allocates: in mode ALWAYS dropped objects are collected now."""
        if self.account.always and self.lua.objects.loose:
            self.collect()

    def print(self, text: bytes) -> None:
        """As `dbg_printf`."""
        self.uart.put(text)
        if not self.cpu.running:
            self.uart.flush()

    def restart(self, reason: BootReason = RESTARTED, *, after: float = 0.0, text: bytes = b"") -> None:
        """Reset the chip after the running task."""
        if self._restart is None:
            self._restart = (reason, after, text)
        if not self.cpu.running:
            self._do_restart()

    def panic(self, message: bytes) -> None:
        """The panic function of app/lua/lauxlib.c: a message, and an endless loop until the watchdog bites."""
        self.print(b"PANIC: unprotected error in call to Lua API (%b)\n" % message)
        self._die(SOFT_WATCHDOG, WATCHDOG_S)

    def crash(self) -> None:
        """The CPU takes an exception.

        Raises:
            Halted: always.
        """
        self._die(CRASHED, 0.0)
        raise Halted

    def hang(self) -> None:
        """The firmware waits in an endless loop for the watchdog.

        Raises:
            Halted: always.
        """
        self._die(SOFT_WATCHDOG, WATCHDOG_S)
        raise Halted

    def on_reset(self, function: Callable[[], None]) -> None:
        """Call this when the boot ends."""
        self._on_reset.append(function)

    def start_collector(self) -> None:
        """All libraries are open: what lives now is the firmware's own, and the collector begins (`pmain`)."""
        self.heap.settle()
        self.heap.told = self.statistics.heap
        if self.image.is_2x:
            # The mode is set when the first prompt is there; init.lua runs in none (app/lua/lua.c, lua_main).
            self.account.start(0, 0)
            self.set_collector(0, 0)
        elif self.lua.version == "5.1":
            self.account.start(4, 4096)
            self.set_collector(4, 4096)
        else:
            self.account.start(0, 0)

    def set_collector(self, mode: int, limit: int) -> None:
        """`lua_setegcmode`."""
        self.egc_mode, self.egc_limit = mode, limit
        self.account.set_mode(mode, limit)
        self.heap.limited()
        self.lua.string_limit = max(0, limit)

    # -- services for the VM ----------------------------------------------------------------------------------------

    def put(self, text: bytes) -> None:
        """What `print` prints: on 5.1 up to the first NUL (`puts`), on 5.3 all of it."""
        self.uart.put(text.partition(b"\0")[0] if self.lua.version == "5.1" else text)

    def output_failed(self, message: Value) -> None:
        """The pipe of `node.output` raised (`output_redirect`)."""
        text = message if isinstance(message, bytes) else panic_text(message)
        self.print(b"error calling stdout:write(%b)\n" % text)
        self.restart()

    def tick(self, kilobytes: float) -> int | None:
        """The VM has run on for a while."""
        self.account.looked()
        self.cpu.settle()
        if self.cpu.starved:
            self._watchdog()
            self.lua.answers.halted = True
            return 2
        if self.cpu.endless or self._interrupt.wanted():
            self._give_up()
            self.lua.answers.halted = True
            return 2
        return None if self.heap.step() else 1

    def built(self, size: int) -> bool:
        """A program built strings of so many bytes."""
        self.account.copied(size)
        return not self.heap.step()

    def called(self) -> None:
        """A function of the firmware was called."""
        self.account.called()

    def post_function(self, priority: int, function: Value) -> None:
        """`luaL_posttask`."""
        try:
            self.post(Priority(priority), lambda: self.lua.protected(function, priority, kind="task"))
        except TaskQueueFull:
            raise LuaFault(_OVERFLOW) from None

    def read_file(self, name: bytes) -> bytes | None:
        """A file of the board's file system."""
        if "file" not in self.image.modules:
            return None
        from bridge.virtual.modules.file import filesystem

        return filesystem(self).read_file(name)

    def write_file(self, name: bytes, data: bytes) -> bool:
        """Write a file; False if it cannot be written."""
        from bridge.virtual.modules.file import filesystem

        return filesystem(self).write_file(name, data)

    def deprecated(self, what: str, when: str) -> None:
        """`platform_print_deprecation_note`."""
        self.lua.board[b"output"](
            f"Warning, deprecated API! {what}. It will be removed {when}. See documentation for details.\n".encode()
        )

    def lua_bytes(self) -> int:
        """Bytes that Lua's objects take on the chip."""
        return self.heap.count()

    def loading(self, source_size: int, dump: bytes | None, proto: Proto | None) -> None:
        """A chunk is about to be loaded."""
        self.account.loading(source_size, dump)
        self.heap.loading(source_size, dump, proto)

    def compiling(self) -> None:
        """A chunk is about to be compiled or undumped."""
        self.account.compiling()

    def compiled(self) -> None:
        """The host has compiled it."""
        self.account.collecting.forget()

    def loaded(self, size: int) -> None:
        """The host has loaded it, from a dump of so many bytes."""
        self.account.loaded(size)

    def full_collection(self) -> None:
        """`lua_gc(L, LUA_GCCOLLECT)` by the firmware itself."""
        self.account.asked_to_collect()

    def report(self, message: Value) -> None:
        """A protected callback raised: its message goes to `onerror` by a HIGH task."""
        try:
            self.post(Priority.HIGH, lambda: self._onerror(message))
        except TaskQueueFull:
            # luaL_pcallx tries once more, with "out of memory", and then raises where nothing catches.
            self.panic(_OVERFLOW.encode())
            raise Halted from None

    def _onerror(self, message: Value) -> None:
        self.doing("onerror")
        if self.onerror is not None:
            self.lua.protected(self.onerror, message, frames=1, kind="onerror")
            return
        self.lua.board[b"print_error"](message)
        if self._onerror_timer is None:
            self._onerror_timer = self.after(_ONERROR_RESTART_S, self.restart)

    def collectgarbage(self, arguments: Args) -> Value:
        """The base library's `collectgarbage`."""
        return collectgarbage(self, arguments)

    # -- statistics -------------------------------------------------------------------------------------------------

    def doing(self, what: str) -> None:
        """What the running task is, for the statistics."""
        self.tasks.doing = what

    def _collected(self, full: float, cycles: float, microseconds: float) -> None:
        self.statistics.collected(full, cycles, self.cpu.seconds(microseconds))

    def _lost(self, count: int) -> None:
        self.statistics.ring_bytes_lost += count

    # -- the running task -------------------------------------------------------------------------------------------

    def began(self) -> None:
        """Lua begins to run in this task."""
        self._interrupt.begin()
        self.account.begin()

    def collect(self) -> bytes | None:
        """A full collection; what a finalizer raised, or None."""
        return self.account.collect()

    def _after_task(self) -> None:
        self.account.end()
        self.uart.flush()
        if self._restart is not None:
            self._do_restart()

    def _do_restart(self) -> None:
        assert self._restart is not None
        reason, after, text = self._restart
        self.uart.write(text)
        self.uart.flush()
        at = max(self.cpu.now(), self.uart.sent_until) + after + _RESTART_S
        self._end(reason, at)

    def _watchdog(self) -> None:
        self._die(SOFT_WATCHDOG, 0.0)

    def _give_up(self) -> None:
        """Go on with nothing, as a chip whose task never ends: it stays silent until it is reset."""
        self.cpu.feed()
        self.print(b"\n%b\n" % (STANDS_STILL % ENDLESS_S if self.cpu.endless else INTERRUPTED))
        self.uart.flush()
        self.tasks.stop()
        self.stopped = True

    def _die(self, reason: BootReason, after: float) -> None:
        self.uart.flush()
        self._end(reason, self.cpu.now() + after)

    def _waits(self) -> None:
        # What the task wrote is on its way; the host need not wait for the task's end to see it.
        self.uart.flush()

    def _halted(self) -> None:
        self.uart.flush()

    def _end(self, reason: BootReason, at: float) -> None:
        self.tasks.stop()
        if not self.stopped:
            self.stopped = True
            self._reset(reason, at)

    def stop(self) -> None:
        """The boot ends: everything that belongs to it goes."""
        self.stopped = True
        self.tasks.stop()
        for function in self._on_reset:
            function()
        self._on_reset.clear()
        self.cpu.detach()
        self.lua.stop()


def object_types() -> Iterable[ObjectType]:
    """The metatables of all modules that are loaded in this process."""
    waiting = list(LuaObject.__subclasses__())
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if "TYPE" in vars(kind):
            yield kind.TYPE


def make_costs(options: VirtualOptions) -> CostModel:
    """The board's cost model."""
    return load_costs(options.calibration)


def make_heap(options: VirtualOptions, system: System) -> HeapModel:
    """The board's heap model."""
    return HeapModel(options.heap, BoardLua(system.lua, system), options.number)
