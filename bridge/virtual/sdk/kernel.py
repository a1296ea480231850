"""What the SDK gives to the firmware's modules: tasks, time, heap, console, network, reset.

Modules are built by a function `build(kernel: Kernel) -> Module` and use nothing of the virtual board but this.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from bridge.virtual.chip.flash import FlashMemory
    from bridge.virtual.chip.image import ImageFacts
    from bridge.virtual.lua.api import LuaObject, Module, Value
    from bridge.virtual.lwip.stack import NetworkStack
    from bridge.virtual.options import VirtualOptions


class Priority(IntEnum):
    """Task priorities (app/include/task/task.h)."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2


class TaskQueueFull(Exception):
    """A queue of 8 slots (TASK_DEFAULT_QUEUE_LEN) has no room."""


class OutOfHeap(Exception):
    """`malloc` on the chip returned NULL."""


class Timer(Protocol):
    """A pending SDK event."""

    def cancel(self) -> None:
        """Drop the event; does nothing when it has fired."""


class Cpu(Protocol):
    """The one CPU of the board: it runs one thing at a time, and every thing takes time."""

    mhz: int

    def now(self) -> float:
        """Board time in seconds on the event loop's clock, including what the running task has cost so far."""

    def micros(self) -> int:
        """Microseconds since boot, as `system_get_time` (32 bits, wraps)."""

    def busy(self, seconds: float) -> None:
        """The running task waits with the CPU held (`tmr.delay`, a full transmit FIFO, flash writes)."""

    def feed(self) -> None:
        """As `system_soft_wdt_feed`: the watchdog starts to count anew."""

    def charge(self, microseconds: float) -> None:
        """The running task computed for this long at 80 MHz; scaled by the CPU clock and the cost factor."""


class Heap(Protocol):
    """The chip's heap outside of Lua's objects, in bytes with the allocator's own overhead counted."""

    def claim(self, size: int) -> int:
        """Take a block for C; returns what it really took (8-byte header, rounded up to 8).

        Raises:
            OutOfHeap: it does not fit.
        """

    def release(self, taken: int) -> None:
        """Give back what `claim` returned."""

    def free(self) -> int:
        """Free bytes now, as `node.heap()` answers."""


class Runtime(Protocol):
    """The Lua VM as modules see it."""

    version: str  # "5.1" or "5.3"
    is_2x: bool  # NodeMCU 2.x: no callback is protected
    #: Values that failed callbacks left on the chip's Lua stack.
    leaked: list[Value]

    def protected(self, function: Value, *arguments: Value, frames: int = 0, kind: str = "callback") -> None:
        """As `luaL_pcallx`: an error becomes a traceback for `onerror`, by a HIGH task; restart after 2 s."""

    def unprotected(self, function: Value, *arguments: Value) -> tuple[Value, ...]:
        """As plain `lua_call` from a C callback: an error is a PANIC, and the watchdog resets the chip.

        After a PANIC this does not return normally: it raises `Halted`, which the kernel catches.
        """

    def table(self, items: dict[Any, Any] | list[Any], reserve: int = 0) -> Value:
        """A fresh Lua table with room for so many fields; str keys become strings, nested dicts and lists tables."""

    def items(self, table: Value) -> list[tuple[Value, Value]]:
        """The pairs of a Lua table (raw)."""

    def get(self, table: Value, key: str | bytes | int) -> Value:
        """A raw field of a Lua table."""

    def pin(self, thing: LuaObject) -> None:
        """Keep the object's userdata alive (a registry reference to itself, `self_ref`)."""

    def unpin(self, thing: LuaObject) -> None:
        """Drop that reference; the collector may then take the userdata."""

    def library(self, name: str) -> Value:
        """A function of the base library by its name, e.g. "string.match", whatever scripts made of the global."""

    def call(self, function: Value, *arguments: Value) -> tuple[Value, ...]:
        """Call in protected mode and raise `LuaRaised` in Python on an error."""


class Halted(BaseException):
    """The chip stopped inside the running task (PANIC, crash, watchdog); nothing of the task runs on."""


@dataclass(frozen=True)
class BootReason:
    """What `node.bootreason()` answers (docs/modules/node.md)."""

    raw: int
    extended: int
    exception: tuple[int, ...] = ()


class Kernel(Protocol):
    """Services of one boot of the firmware. A new one is made at each boot."""

    @property
    def options(self) -> VirtualOptions: ...

    @property
    def image(self) -> ImageFacts: ...

    @property
    def boot(self) -> BootReason: ...

    @property
    def random(self) -> random.Random: ...

    @property
    def cpu(self) -> Cpu: ...

    @property
    def heap(self) -> Heap: ...

    @property
    def lua(self) -> Runtime: ...

    @property
    def flash(self) -> FlashMemory: ...

    @property
    def network(self) -> NetworkStack: ...

    @property
    def parts(self) -> dict[str, Any]:
        """What modules share with each other in this boot, by name; goes with the boot."""

    def post(self, priority: Priority, function: Callable[[], None]) -> None:
        """Queue a task. One task runs to completion at a time, higher priorities first.

        Raises:
            TaskQueueFull: 8 tasks of this priority are queued.
        """

    def event(self, function: Callable[[], None]) -> None:
        """Run a callback of the SDK (network, Wi-Fi, timer) between tasks, as soon as the CPU is free.

        May be called from any callback on the event loop. Dropped if the board resets first.
        """

    def after(self, seconds: float, function: Callable[[], None]) -> Timer:
        """Run a callback of the SDK after a delay in seconds of board time. Dropped at a reset."""

    def register(self, module: Module) -> None:
        """Make a module visible to Lua, if the flashed image lists it."""

    def allocates(self) -> None:
        """Lua allocates here on the chip: in collector mode ALWAYS objects that were dropped are collected now."""

    def print(self, text: bytes) -> None:
        """As `dbg_printf`: straight to UART0, LF becomes CR LF, CR is dropped; never redirected."""

    def deprecated(self, what: str, when: str) -> None:
        """As `platform_print_deprecation_note`."""

    def restart(self, reason: BootReason, *, after: float = 0.0, text: bytes = b"") -> None:
        """Reset the chip after the running task (and a delay in seconds), printing `text` raw first."""

    def panic(self, message: bytes) -> None:
        """Print "PANIC: unprotected error in call to Lua API (message)", hang, and let the watchdog reset."""

    def crash(self) -> None:
        """The CPU takes an exception, as for a null pointer that C follows; raises `Halted`."""

    def on_reset(self, function: Callable[[], None]) -> None:
        """Call this when the boot ends, however it ends: close host sockets, drop timers."""
