"""A handle without `await`, and how values pass between the two worlds."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from bridge.errors import BridgeError
from bridge.link import CALL_TIMEOUT
from bridge.link.asks import ASKED
from bridge.mirror.handle import Handler, State
from bridge.mirror.handle import Remote as AsyncRemote
from bridge.mirror.table import Unread
from bridge.portal import portal
from bridge.wire.values import Value

F = TypeVar("F", bound="Remote")

#: Kind of asyncio handle → kind of this package; `bridge.sync.objects` fills it.
KINDS: dict[type[AsyncRemote], type[Remote]] = {}
_faces: weakref.WeakValueDictionary[int, Remote] = weakref.WeakValueDictionary()
#: Values pass on every thread that calls the board, and on that of the callbacks.
_one_at_a_time = threading.RLock()


class Remote:
    """An object on the board; see `bridge.mirror.handle.Remote`."""

    def __init__(self, remote: AsyncRemote) -> None:
        self.remote = remote

    def __repr__(self) -> str:
        return f"<sync {repr(self.remote)[1:]}"

    @property
    def number(self) -> int:
        """The number of the board object in its boot."""
        return self.remote.number

    @property
    def state(self) -> State:
        """Open, closing or closed."""
        return self.remote.state

    def on(self, event: str, handler: Handler | None) -> None:
        """Set who is called when something happens, on the callback thread."""

        async def run() -> None:
            self.remote.on(event, to_handler(handler))

        portal().call(run())

    def release(self) -> None:
        """Let the board object go."""
        portal().call(self.remote.release())

    def when_gone(self, callback: Callable[[BridgeError | None], None]) -> None:
        """Ask to be told, once, on the callback thread, when the handle ends."""

        def gone(reason: BridgeError | None) -> None:
            portal().post(callback, reason)

        async def run() -> None:
            self.remote.when_gone(gone)

        portal().call(run())

    def check(self) -> None:
        """Raise if the handle cannot be used any more."""
        self.remote.check()

    def call(self, target: str, *values: Value, timeout: float | None = CALL_TIMEOUT) -> tuple[Value, ...]:
        """Call a function of the board with this object as its first argument."""
        results = portal().call(self.remote.call(target, *map(outward, values), timeout=timeout))
        return tuple(map(inward, results))


def to_handler(function: Callable[..., Any] | None) -> Callable[..., Any] | None:
    """A handler for the loop that runs this one on the callback thread; Lua that waits gets what this one returns."""
    if not callable(function):
        return function
    wanted = function

    async def handler(*values: Value) -> Value:
        result = await portal().callback(wanted, *map(inward, values), asked=ASKED.get())
        return tuple(map(outward, result)) if isinstance(result, tuple) else outward(result)

    handler.__qualname__ = getattr(wanted, "__qualname__", repr(wanted))
    return handler


def outward(value: Value) -> Value:
    """A value as the asyncio classes take it."""
    if isinstance(value, Remote):
        return value.remote
    if isinstance(value, dict):
        return {outward(key): outward(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [outward(item) for item in value]
    return to_handler(value) if callable(value) and not isinstance(value, Unread) else value


def inward(value: Value) -> Value:
    """A value of the asyncio classes as users of this module see it."""
    if isinstance(value, AsyncRemote):
        return face(value, Remote)
    if isinstance(value, dict):
        return {inward(key): inward(item) for key, item in value.items()}
    if isinstance(value, list):
        return [inward(item) for item in value]
    return tuple(map(inward, value)) if isinstance(value, tuple) else value


def face(remote: AsyncRemote, kind: type[F]) -> F:
    """The one object of this module for a handle."""
    with _one_at_a_time:
        found = _faces.get(id(remote))
        if found is None or found.remote is not remote:
            found = _faces[id(remote)] = KINDS[type(remote)](remote)
    assert isinstance(found, kind)
    return found
