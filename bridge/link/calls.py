"""Calls that wait for their reply: numbers, futures, and a queue for those that must wait to begin."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import re
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from bridge.errors import BoardOutOfMemory, BridgeError, LinkTimeout, LuaError
from bridge.wire.messages import Failure, Reply
from bridge.wire.values import Aside, Handle, Opaque, Value

#: `call_id` is one byte, and 0 asks for no reply.
_MOST_CALLS = 255
#: What 5.1 says where a function of the host is called that it cannot wait for there, and what to do (room_wait.lua).
_YIELDS = "attempt to yield across metamethod/C-call boundary"
_NO_WAITING = (
    "Lua 5.1 cannot wait for a Python function in a metamethod or in the iterator of a for: "
    "call the function before, and use its result there."
)
#: Functions of the agent's rooms whose result is the number of a new object.
_MAKERS = frozenset({"@net.socket", "@net.server", "@net.udp", "@tls.socket"})


@dataclass
class PendingCall:
    """A call on its way."""

    call_id: int
    target: str
    future: asyncio.Future[tuple[Value, ...]]
    defines: int = 0
    """Number of the shape whose source went with it, or 0."""
    releases: int = 0
    """How many handles had been let go when it was sent: the board has done so when it answers."""


class CallTable:
    """Numbers calls and matches replies.

    Args:
        url: the port, for messages.
        may_begin: says whether the link has room for another call.
        release: lets a handle, or what the board has put aside, go that nobody waits for any more.
    """

    def __init__(self, url: str, may_begin: Callable[[], bool], release: Callable[[Handle | Aside], None]) -> None:
        self._url = url
        self._may_begin = may_begin
        self._release = release
        self._free = deque(range(1, _MOST_CALLS + 1))
        self._pending: dict[int, PendingCall] = {}
        self._waiting: deque[asyncio.Future[int]] = deque()
        # How many have their number and do not know it yet: their tasks run in this turn of the loop or the next one.
        self._called = 0

    def __len__(self) -> int:
        return len(self._pending)

    async def begin(self, target: str, *, urgent: bool = False) -> PendingCall:
        """A number for a call, as soon as there is room; callers go on in the order in which they came.

        Args:
            target: what is called.
            urgent: it waits for nobody.
        """
        loop = asyncio.get_running_loop()
        # Who comes between a turn and the moment in which its owner goes on would send first.
        if not (urgent and self._free) and (self._waiting or self._called or not self._room()):
            turn: asyncio.Future[int] = loop.create_future()
            self._waiting.append(turn)
            try:
                number = await turn
            except asyncio.CancelledError:
                if turn in self._waiting:
                    self._waiting.remove(turn)
                elif _has_number(turn):
                    self._free.append(turn.result())
                raise
            finally:
                self._called -= _has_number(turn)
                self.admit()
        else:
            number = self._free.popleft()
        call = PendingCall(number, target, loop.create_future())
        self._pending[number] = call
        return call

    def waited_for(self, call_id: int) -> bool:
        """True while somebody waits for this call."""
        call = self._pending.get(call_id)
        return call is not None and not call.future.done()

    def abandon(self, call: PendingCall) -> None:
        """The call was never sent: its number is free again."""
        if self._pending.pop(call.call_id, None) is not None:
            self._free.append(call.call_id)
            self.admit()

    def admit(self) -> None:
        """Let the next one begin if there is room now."""
        while self._waiting and self._room():
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(self._free.popleft())
                self._called += 1

    def answered(self, message: Reply | Failure) -> PendingCall | None:
        """Match a reply; returns the call, or None when no such call is pending."""
        call = self._pending.pop(message.call_id, None)
        if call is None:
            return None
        self._free.append(call.call_id)
        values = message.values
        if call.target in _MAKERS and isinstance(message, Reply) and values and isinstance(values[0], int):
            values = (Handle(values[0]), *values[1:])
        if call.future.done():
            # Whoever waited gave up: what came for them goes back.
            self.let_go(values)
        elif isinstance(message, Reply):
            call.future.set_result(values)
        else:
            call.future.set_exception(self.error(values, call.target))
            self.let_go(values)  # an error value has no place in an exception
        self.admit()
        return call

    def error(self, values: tuple[Value, ...], target: str = "") -> LuaError | BoardOutOfMemory:
        """The exception for a Lua error value.

        Args:
            values: what came with the failure.
            target: what was called.
        """
        text = _named(lua_text(values[0] if values else None), target)
        if text.endswith(("not enough memory", "not enough memory for buffer allocation")):
            return BoardOutOfMemory(
                "Lua on the board ran out of memory", port=self._url, remedy="Close sockets or drop objects first."
            )
        return LuaError(text, port=self._url, remedy=_NO_WAITING if _YIELDS in text else None)

    def fail(self, error: BridgeError) -> None:
        """End all calls, and those that wait to begin, with an error."""
        pending, self._pending = self._pending, {}
        futures: list[asyncio.Future[int] | asyncio.Future[tuple[Value, ...]]] = list(self._waiting)
        futures += [call.future for call in pending.values()]
        self._waiting.clear()
        for future in futures:
            if not future.done():
                failure = copy.copy(error)
                failure.__cause__ = error
                future.set_exception(failure)
                future.exception()  # nobody may be waiting any more, and that is no fault

    def _room(self) -> bool:
        return bool(self._free) and self._may_begin()

    def let_go(self, values: tuple[Value, ...]) -> None:
        """Release the handles among values that nobody will get."""
        for value in values:
            if isinstance(value, Handle | Aside):
                self._release(value)
            elif isinstance(value, list):
                self.let_go(tuple(value))
            elif isinstance(value, dict):
                self.let_go((*value, *value.values()))


def _has_number(turn: asyncio.Future[int]) -> bool:
    return turn.done() and not turn.cancelled() and turn.exception() is None


@contextlib.asynccontextmanager
async def limit(seconds: float | None, what: str, url: str) -> AsyncIterator[None]:
    """Raise LinkTimeout when what is waited for is not there in time.

    Args:
        seconds: how long to wait, or None for no limit.
        what: what is waited for, for the message.
        url: the port, for the message.
    """
    timeout = asyncio.timeout(seconds)
    try:
        async with timeout:
            yield
    except TimeoutError:
        if not timeout.expired():
            raise
        raise LinkTimeout(f"The board did not answer {what} within {seconds:g} s", port=url) from None


def _named(text: str, target: str) -> str:
    """The text with the function's name in it, which Lua does not know of a function that it is handed as a value.

    Lua takes the name from the source of the call: "bad argument #1 to 'createServer'", but from the agent "to '?'", or
    on 5.3 "to 'net.createServer'".
    """
    if target[:1] in ("", ":", "@"):
        return text
    unnamed = rf"(?<=\bto ')(?:\?|{re.escape(target)})(?=' \()"
    return re.sub(unnamed, target.rpartition(".")[2], text) if "bad argument #" in text else text


def lua_text(value: Value) -> str:
    """An error value of Lua as text."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Opaque):
        return value.text.decode("utf-8", "replace")
    if isinstance(value, Aside):
        return "an error value that is a table or object"
    return "nil" if value is None else str(value)
