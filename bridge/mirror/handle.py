"""A handle: what the host holds in place of an object on the board, with its events and their handlers."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import inspect
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, ClassVar, Final

from bridge.errors import BridgeError, HandleClosed, UsageError
from bridge.link import CALL_TIMEOUT
from bridge.wire.messages import EVENT_COST
from bridge.wire.values import Handle, Value

if TYPE_CHECKING:
    from bridge.mirror.table import HandleTable

#: Called with the handle and the event's values; may be a coroutine function.
Handler = Callable[..., Any]

#: Bytes that a handler has used before they are given back as credit: early enough to keep the line busy.
GRANT_AFTER = 1460
#: Events other than received data that are kept for a handler that has not been set yet; the oldest go first.
KEPT_EVENTS = 64


class State(Enum):
    """Where a handle is in its life."""

    OPEN = auto()
    """It can be used."""
    CLOSING = auto()
    """It has been released; the board does not know yet."""
    CLOSED = auto()
    """The board object is gone."""


@dataclass(frozen=True)
class _Event:
    serial: int
    name: str
    values: tuple[Value, ...]


class _NotSet(Enum):
    TOKEN = auto()


#: No handler was ever set for an event: it is kept. (None is "removed on purpose": it is dropped, as stock does.)
_NOT_SET: Final = _NotSet.TOKEN


class Remote:
    """The host's stand-in for one object on the board.

    Input and output happen only in awaited methods. `repr` is local. A handle that Python collects is released on
    the board soon after, from the event loop; one with handlers whose object is in use there (connected, listening)
    stays, as the stock firmware keeps such an object.
    """

    #: Names of its events, as `on` takes them.
    EVENTS: ClassVar[tuple[str, ...]] = ()
    #: net.c: without a handler for "reconnection", "disconnection" gets the errors too.
    ERRORS_DISCONNECT: ClassVar[bool] = True

    def __init__(self, table: HandleTable, handle: Handle) -> None:
        self.table = table
        self.handle = handle
        self._state = State.OPEN
        self._reason: BridgeError | None = None
        self._handlers: dict[str, Handler | None] = {}
        self._queue: deque[_Event] = deque()
        self._aside: list[_Event] = []
        self._serial = 0
        self._running = False
        self._in_use = False
        self._used_up = 0
        self._withheld = False
        self._gone_callbacks: list[Callable[[BridgeError | None], None]] = []
        self._holding, self._finalizer = table.adopt(self, handle)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} #{self.handle.number} {self._state.name.lower()}>"

    @property
    def number(self) -> int:
        """The number of the board object in its boot."""
        return self.handle.number

    @property
    def state(self) -> State:
        """Open, closing or closed."""
        return self._state

    def on(self, event: str, handler: Handler | None) -> None:
        """Set who is called when something happens; replaces the handler before.

        Events that came before any handler was set for them were kept and are delivered now, in order. Handlers of
        one handle run one at a time, in the order of the board's events; a coroutine function is awaited. An
        exception in a handler goes to the board's error handler.

        Args:
            event: one of `EVENTS`.
            handler: called with this handle and the event's values; None removes the handler, and what happens
                from then on is dropped.

        Raises:
            UsageError: this kind of object has no such event.
        """
        if event not in self.EVENTS:
            events = ", ".join(self.EVENTS)
            raise UsageError(
                "invalid callback name",  # the stock module's text, as below
                remedy=f"{event!r} is not an event of {type(self).__name__}: use one of {events}.",
            )
        if handler is not None and not callable(handler):
            remedy = f"The handler for {event!r} cannot be called: pass a function or None."
            raise UsageError("invalid callback function", remedy=remedy)
        self._handlers[event] = handler
        ready = [kept for kept in self._aside if self._find(kept.name) is not _NOT_SET]
        if ready:
            self._aside = [kept for kept in self._aside if self._find(kept.name) is _NOT_SET]
            self._queue = deque(sorted((*ready, *self._queue), key=lambda event: event.serial))
            # From the loop, so that no handler runs inside `on`.
            self.table.loop.call_soon(self._pump)
        self.table.keep(self)

    async def release(self) -> None:
        """Let the board object go; the board closes it first if it is a socket. Doing it again does nothing."""
        if self._state is State.OPEN:
            self._state = State.CLOSING
            self._set_in_use(False)
            self._finalizer.detach()
            self.table.drop(self._holding)
            self._end(None)

    def when_gone(self, callback: Callable[[BridgeError | None], None]) -> None:
        """Ask to be told, once, when the handle ends: with the reason, or None when it was released."""
        if self._state is State.CLOSED:
            self.table.loop.call_soon(callback, self._reason)
        else:
            self._gone_callbacks.append(callback)

    def check(self) -> None:
        """Raise if the handle cannot be used any more.

        Raises:
            BoardReset, PortLost, LinkError: why the boot it belongs to has ended.
            HandleClosed: it was released.
        """
        if self._reason is not None:
            raise copy.copy(self._reason) from self._reason
        if self._state is not State.OPEN:
            raise HandleClosed(f"{type(self).__name__} #{self.number} has been released", port=self.table.caller.url)

    async def call(self, target: str, *values: Value, timeout: float | None = CALL_TIMEOUT) -> tuple[Value, ...]:
        """Call a function of the board with this object as its first argument; see `Caller.call`."""
        self.check()
        return await self.table.call(target, self, *values, timeout=timeout)

    # Below: what the table and the subclasses use.

    @contextlib.contextmanager
    def _handling(self, event: str, handler: Handler | None) -> Iterator[None]:
        """Set the handler that a call was given, if it was; when the call fails, the one before is put back."""
        before = dict(self._handlers)
        if handler is not None:
            self.on(event, handler)
        try:
            yield
        except BaseException:
            if handler is not None and self._handlers.get(event) is handler:
                if event in before:
                    self._handlers[event] = before[event]
                else:
                    del self._handlers[event]
                self.table.keep(self)
            raise

    def _convert(self, name: str, values: tuple[Value, ...]) -> tuple[Value, ...]:
        """An event's values as its handler gets them; subclasses turn addresses into str."""
        return values

    def _happened(self, name: str) -> None:
        """A hook for subclasses: this event has been handled."""

    def _holds_back(self, name: str) -> bool:
        """True while this event, and with it all that came after, must wait; subclasses say when."""
        return False

    def _set_in_use(self, in_use: bool) -> None:
        self._in_use = in_use
        self.table.keep(self)

    @property
    def must_stay(self) -> bool:
        """True while the table must hold it although nobody else does."""
        return self._in_use and self._state is State.OPEN and any(self._handlers.values())

    def arrived(self, name: str, values: tuple[Value, ...]) -> None:
        """An event came from the board."""
        if self._state is State.OPEN:
            self._serial += 1
            self._queue.append(_Event(self._serial, name, self._convert(name, values)))
            self._pump()

    def fail(self, reason: BridgeError) -> None:
        """The boot it belongs to is over."""
        if self._state is not State.CLOSED:
            self._reason = reason
            # There is nothing left to release; and Python would keep the table for as long as it might be.
            self._finalizer.detach()
            self._end(reason)

    def _end(self, reason: BridgeError | None) -> None:
        self._state = State.CLOSED
        self._queue.clear()
        self._aside.clear()
        callbacks, self._gone_callbacks = self._gone_callbacks, []
        for callback in callbacks:
            callback(reason)

    def _find(self, name: str) -> Handler | None | _NotSet:
        found = self._handlers.get(name, _NOT_SET)
        if name == "reconnection" and self.ERRORS_DISCONNECT and not callable(found):
            other = self._handlers.get("disconnection", _NOT_SET)
            return other if callable(other) or found is _NOT_SET else None
        return found

    def _pump(self) -> None:
        while self._queue and not self._running and not self._holds_back(self._queue[0].name):
            event = self._queue.popleft()
            handler = self._find(event.name)
            if handler is _NOT_SET:
                self._set_aside(event)
                continue
            self._running = True
            try:
                result = handler(self, *event.values) if handler is not None else None
            except (Exception, asyncio.CancelledError) as error:  # the latter from a future that was cancelled
                self.table.report(error, f"handler for {event.name!r} of {self!r}")
                result = None
            except BaseException:  # ends the program, as it should; if somebody catches it, the handle lives on
                self._done(event)
                raise
            if inspect.isawaitable(result):
                self.table.spawn(self._finish(result, event))
            else:
                self._done(event)

    async def _finish(self, result: Awaitable[object], event: _Event) -> None:
        try:
            await result
        except Exception as error:
            self.table.report(error, f"handler for {event.name!r} of {self!r}")
        finally:
            self._done(event)
            self._pump()

    def _done(self, event: _Event) -> None:
        self._running = False
        self._use_up(event)
        self._happened(event.name)

    def _use_up(self, event: _Event) -> None:
        if event.name == "receive":
            self._used_up += len(event.values[0]) + EVENT_COST
            if self._used_up >= GRANT_AFTER and not self._withheld:
                self._give_credit()

    def _drop_events(self, until: int | None = None) -> None:
        """What waits for handlers is not told to any: the connection of which it tells is over.

        Args:
            until: the last one of them, as `_serial` was then; only what no handler was set for goes. None is all.
        """
        gone = [event for event in self._aside if until is None or event.serial <= until]
        self._aside = [event for event in self._aside if event not in gone]
        if until is None:
            gone += self._queue
            self._queue.clear()
        for event in gone:
            self._use_up(event)

    def _withhold(self, withheld: bool) -> None:
        """Stop giving credit back (the board would let a held socket go for it), or give back what is due."""
        self._withheld = withheld
        if not withheld and self._used_up:
            self._give_credit()

    def _give_credit(self) -> None:
        if self._state is State.OPEN:
            amount, self._used_up = self._used_up, 0
            self.table.caller.grant(self.handle, amount)

    def _set_aside(self, event: _Event) -> None:
        # Received data is bounded by the credit, which is not given back before a handler has used it.
        self._aside.append(event)
        if event.name != "receive":
            kept = [number for number, other in enumerate(self._aside) if other.name == event.name]
            if len(kept) > KEPT_EVENTS:
                del self._aside[kept[0]]
        self._happened(event.name)
