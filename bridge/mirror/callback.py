"""Python functions that Lua may call."""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from bridge.errors import LinkError
from bridge.wire.values import Value

#: Told of an exception in user code, with a few words on where it was raised.
ErrorReport = Callable[[BaseException, str], None]
#: Calls of one coroutine function that wait for the one before to end; more are dropped and counted.
WAITING_CALLS = 256


class Host(Protocol):
    """What a callback needs of the handle table."""

    report: ErrorReport

    def inward(self, value: Value) -> Value:
        """A value from the link as users see it."""

    def outward(self, value: Value) -> Value:
        """A value of users as the link takes it."""

    def spawn(self, work: Any) -> None:
        """Run a coroutine beside."""


class Callback:
    """A Python function as an argument of a board function; the link turns it into a Lua function.

    Lua waits for what the function returns (`ask`) where it can: in a call with the function among its arguments, and
    not across C (5.1: `pcall`, `gsub`, `table.sort`; 5.3: those but `pcall`), in a coroutine of its own, or in a timer,
    an interrupt or another callback of C. There it gets nothing, the calls run one at a time, in the order in which Lua
    made them, and what the function returns is dropped. A flood of calls to a coroutine function that does not keep up
    is bounded by `WAITING_CALLS`.

    Attributes:
        dropped: how many calls were dropped.
    """

    def __init__(self, function: Callable[..., Any], host: Host) -> None:
        self._function = function
        self._host = host
        self._waiting: deque[tuple[Value, ...]] = deque()
        self._running = False
        self.dropped = 0

        self.__qualname__ = self._name

    def __call__(self, *values: Value) -> None:
        """Lua called."""
        inward = tuple(
            self._host.inward(value) for value in values
        )  # handles among them are held, or let go, from here on
        if len(self._waiting) >= WAITING_CALLS:
            self.dropped += 1
            if self.dropped == 1:
                self._host.report(
                    LinkError(f"More than {WAITING_CALLS} calls from Lua wait for {self._name}; dropping the rest"),
                    f"call of {self._name} from Lua",
                )
            return
        self._waiting.append(inward)
        self._pump()

    async def ask(self, *values: Value) -> Value:
        """Lua called, and waits for what the function returns. Runs beside the calls that it does not wait for."""
        result = self._function(*(self._host.inward(value) for value in values))
        if inspect.isawaitable(result):
            result = await result
        if isinstance(result, tuple):
            return tuple(self._host.outward(value) for value in result)
        return self._host.outward(result)

    def forget(self) -> None:
        """The boot in which Lua made these calls is over: those that wait are not made any more."""
        self._waiting.clear()

    @property
    def _name(self) -> str:
        return getattr(self._function, "__qualname__", repr(self._function))

    def _pump(self) -> None:
        while self._waiting and not self._running:
            values = self._waiting.popleft()
            try:
                result = self._function(*values)
            except (Exception, asyncio.CancelledError) as error:  # the latter from a future that was cancelled
                self._host.report(error, f"call of {self._name} from Lua")
                continue
            if inspect.isawaitable(result):
                self._running = True
                self._host.spawn(self._finish(result))

    async def _finish(self, result: Awaitable[object]) -> None:
        try:
            await result
        except Exception as error:
            self._host.report(error, f"call of {self._name} from Lua")
        finally:
            self._running = False
            self._pump()
