"""The table of all handles of one boot of the agent.

When the boot ends, every handle in its table fails with the reason, and nothing of it can reach an object of the
next boot: that one has another table.
"""

from __future__ import annotations

import asyncio
import copy
import gc
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bridge.errors import BridgeError, LinkTimeout, StaleHandle, UsageError, ValueRefused
from bridge.link import CALL_TIMEOUT, Caller
from bridge.mirror.callback import Callback, ErrorReport
from bridge.mirror.handle import Remote
from bridge.mirror.making import Making
from bridge.wire.values import MAX_DEPTH, Handle, Value

Answer = TypeVar("Answer")

#: Sockets that ended before Python's collector is asked to look. A program's handlers often hold their socket, and a
#: handle in such a circle is collected only by a full look. Python would take its time, because the circle is small
#: on the host; on the board each costs most of a kilobyte of a heap of twenty.
COLLECT_AFTER = 8
#: A handle that came more often is given back as often, less once.
MOST_HELD = 10_000

#: Sequences that are one value.
_TEXT = str | bytes | bytearray | memoryview


class Unread:
    """A name on the board whose value nobody has asked for: no argument, though it can be called."""


@dataclass(eq=False)
class Holding:
    """That a handle is held: as often as it came, it must be given back."""

    handle: Handle
    count: int = 1
    """How often it came."""


class HandleTable:
    """All handles of one boot of the agent.

    Args:
        caller: the link.
        report: told of exceptions in handlers and callbacks, with a few words on where.
        generic: makes the handle of a board object of no particular kind.
    """

    def __init__(
        self, caller: Caller, report: ErrorReport, generic: Callable[[HandleTable, Handle], Remote] = Remote
    ) -> None:
        self.caller, self.making = caller, Making(caller)
        self.report = report
        self._generic = generic
        self.loop = asyncio.get_running_loop()
        self.epoch = caller.epoch
        self._live: weakref.WeakValueDictionary[int, Remote] = weakref.WeakValueDictionary()
        self._holdings: dict[int, Holding] = {}
        self._kept: set[Remote] = set()
        self._collected: deque[Holding] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._awaited: set[asyncio.Future[Any]] = set()
        self._callbacks: weakref.WeakValueDictionary[int, Callback] = weakref.WeakValueDictionary()
        self._farewells: list[Callable[[], None]] = []
        self._ended = 0
        self._failure: BridgeError | None = None

    def __len__(self) -> int:
        return len(self._live)

    @property
    def live(self) -> list[Remote]:
        """The handles that this boot has."""
        return list(self._live.values())

    async def call(self, target: str, *values: Value, timeout: float | None = CALL_TIMEOUT) -> tuple[Value, ...]:
        """As `Caller.call`, with handles and Python functions as arguments and handles among the results.

        Raises:
            StaleHandle: an argument belongs to another boot.
            UsageError: an argument is a name (`board.lua.net.TCP`) instead of its value.
            ValueRefused: an argument cannot be carried to this board exactly; nothing was sent.
            LuaError, BoardOutOfMemory, LinkTimeout, BoardReset, …: see `Caller.call`.
        """
        self.check()
        results = await self.caller.call(target, *(self.outward(value) for value in values), timeout=timeout)
        return tuple(self.inward(value) for value in results)

    async def run_lua(
        self, source: str | bytes, *values: Value, timeout: float | None = CALL_TIMEOUT, name: str = "lua"
    ) -> tuple[Value, ...]:
        """As `Caller.run_lua`, with handles and Python functions as arguments and handles among the results.

        Raises:
            UsageError: the source is no text; and what `call` raises.
        """
        self.check()
        if not isinstance(source, str | bytes):
            raise UsageError(f"A {type(source).__name__} is no Lua source", remedy="Pass str or bytes.")
        outward = [self.outward(value) for value in values]
        results = await self.caller.run_lua(source, *outward, timeout=timeout, name=name)
        return tuple(self.inward(value) for value in results)

    def post(self, target: str, *values: Value) -> None:
        """As `Caller.post`, of plain values; nothing when this boot is over."""
        if self._failure is None:
            self.caller.post(target, *values)

    async def wait(self, answer: asyncio.Future[Answer], timeout: float, what: str) -> Answer:
        """Wait for something that a callback brings, or for the end of this boot.

        Args:
            answer: set by the callback.
            timeout: seconds.
            what: what is waited for, for the message.

        Raises:
            LinkTimeout: it did not come in time; BoardReset, PortLost, …: the boot is over.
        """
        self._awaited.add(answer)
        limit = asyncio.timeout(timeout)
        try:
            async with limit:
                return await answer
        except TimeoutError as error:
            if not limit.expired():
                raise  # the reason for which the boot is over
            raise LinkTimeout(f"The board did not bring {what} within {timeout:g} s", port=self.caller.url) from error
        finally:
            self._awaited.discard(answer)

    def check(self) -> None:
        """Raise the reason if this boot is over."""
        if self._failure is not None:
            raise copy.copy(self._failure) from self._failure

    def outward(self, value: Value, depth: int = 0) -> Value:
        """A value as the link takes it.

        Raises:
            StaleHandle, UsageError: see `call`.
            ValueRefused: a table that is nested too deep (perhaps it holds itself), or that has a table as a key.
        """
        if isinstance(value, Remote):
            value.check()
            if value.table is not self:
                raise StaleHandle(
                    f"{value!r} belongs to another boot of the board or to another board",
                    port=self.caller.url,
                    remedy="Make it again.",
                )
            return value.handle
        if isinstance(value, Unread):
            raise UsageError(f"{value!r} is a name on the board, not its value", remedy="Pass `await name.get()`.")
        if isinstance(value, Mapping | Sequence) and not isinstance(value, _TEXT) and depth >= MAX_DEPTH:
            raise ValueRefused(
                f"A table nested deeper than {MAX_DEPTH} cannot be carried to a board", remedy="Does it hold itself?"
            )
        if isinstance(value, Mapping):
            if any(isinstance(key, tuple) for key in value):
                raise ValueRefused("A table as the key of a table cannot be carried to a board")
            return {self.outward(key): self.outward(item, depth + 1) for key, item in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, _TEXT):
            return [self.outward(item, depth + 1) for item in value]
        if callable(value):
            # One Lua function for one Python function, for as long as Lua holds it: the link keeps it so long.
            found = self._callbacks.get(id(value))
            if found is None:
                found = self._callbacks[id(value)] = Callback(value, self)
            return found
        return value

    def inward(self, value: Value) -> Value:
        """A value from the link as users see it."""
        if isinstance(value, Handle):
            return self._came_again(value) or self._generic(self, value)
        if isinstance(value, dict):
            return {self.inward(key): self.inward(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.inward(item) for item in value]
        return value

    @property
    def dropped_calls(self) -> int:
        """Calls from Lua that were dropped on the host, because a Python function did not keep up."""
        return sum(callback.dropped for callback in self._callbacks.values())

    def _came_again(self, handle: Handle) -> Remote | None:
        found = self._live.get(handle.number)
        if found is not None:
            holding = self._holdings[handle.number]
            holding.count += 1
            if holding.count > MOST_HELD:  # two bytes must tell it
                self.caller.release(handle, MOST_HELD)
                holding.count -= MOST_HELD
        return found

    def adopt(self, remote: Remote, handle: Handle) -> tuple[Holding, weakref.finalize[[Holding], Remote]]:
        """Take a new handle in: its events find it, and it is given back when Python collects it."""
        self._live[handle.number] = remote
        holding = self._holdings[handle.number] = Holding(handle)
        reference = weakref.ref(remote)

        def receiver(name: str, values: tuple[Value, ...]) -> None:
            found = reference()
            if found is not None:
                found.arrived(name, values)

        self.caller.subscribe(handle, receiver)
        finalizer = weakref.finalize(remote, self._on_collected, holding)
        finalizer.atexit = False
        return holding, finalizer

    def keep(self, remote: Remote) -> None:
        """Hold the handle or stop holding it, as it needs."""
        if remote.must_stay:
            self._kept.add(remote)
        else:
            self._kept.discard(remote)

    def ended(self) -> None:
        """A socket's connection is over; its handle may be garbage now."""
        self._ended += 1
        if self._ended >= COLLECT_AFTER:
            self._ended = 0
            self.loop.call_soon(gc.collect)

    def drop(self, holding: Holding) -> None:
        """Give a handle back. It may have come again since, and have another holder: that one keeps it."""
        number = holding.handle.number
        last = self._holdings.get(number) is holding
        if last:
            del self._holdings[number]
            self._live.pop(number, None)
        if self._failure is None:
            if last:
                self.caller.unsubscribe(holding.handle)
            self.caller.release(holding.handle, holding.count)

    def spawn(self, work: Any) -> None:
        """Run a coroutine beside; it must catch its own errors."""
        task: asyncio.Task[None] = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def fail(self, reason: BridgeError) -> None:
        """This boot is over: every handle fails with the reason."""
        if self._failure is not None:
            return
        self._failure = reason
        remotes = list(self._live.values())
        self._live.clear()
        self._holdings.clear()
        self._kept.clear()
        for remote in remotes:
            remote.fail(reason)
        for callback in list(self._callbacks.values()):
            callback.forget()
        for answer in self._awaited:
            if not answer.done():
                answer.set_exception(copy.copy(reason))

    def before_close(self, farewell: Callable[[], None]) -> None:
        """Ask to be called before the agent leaves the board, to take back what Lua holds of the host's functions."""
        self._farewells.append(farewell)

    async def close(self, reason: BridgeError) -> None:
        """As `fail`, and end what handlers still run."""
        if self._failure is None:
            for farewell in self._farewells:
                farewell()
        self.fail(reason)
        current = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not current]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _on_collected(self, holding: Holding) -> None:
        # Runs in a finaliser: on any thread, in the middle of anything. Only note it, and let the loop do the rest.
        self._collected.append(holding)
        try:
            self.loop.call_soon_threadsafe(self._release_collected)
        except RuntimeError:
            # The loop is closed: so is the link, and the board has let everything go.
            self._collected.clear()

    def _release_collected(self) -> None:
        while self._collected:
            self.drop(self._collected.popleft())
