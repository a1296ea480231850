"""A link without a board: what is called is written down, replies are given, events are made by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bridge.errors import BridgeError
from bridge.link import CALL_TIMEOUT, EventReceiver
from bridge.mirror.table import HandleTable
from bridge.wire.values import Handle, Value

Reply = tuple[Value, ...] | BridgeError | Callable[..., object]


class FakeCaller:
    """Satisfies `bridge.link.Caller`.

    Attributes:
        calls: (target, values) of each call, in order.
        replies: target → what it answers: a tuple, an error, or a function that gets the values. Default ().
        grants, released: what was told to the board; a handle given back several times stands there as often.
    """

    url = "fake:"
    epoch = 1

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Value, ...]]] = []
        self.replies: dict[str, Reply] = {}
        self.grants: list[tuple[int, int]] = []
        self.released: list[int] = []
        self.receivers: dict[int, EventReceiver] = {}
        self.early: dict[int, list[tuple[str, tuple[Value, ...]]]] = {}
        self.on_console: Callable[[bytes], None] | None = None
        self.on_down: Callable[[BridgeError], None] | None = None
        self.on_fault: Callable[[str], None] | None = None

    async def call(self, target: str, *values: Value, timeout: float | None = CALL_TIMEOUT) -> tuple[Value, ...]:
        self.calls.append((target, values))
        await asyncio.sleep(0)
        reply = self.replies.get(target, ())
        if isinstance(reply, BridgeError):
            raise reply
        if callable(reply):
            result = reply(*values)
            if asyncio.iscoroutine(result):
                result = await result
            assert isinstance(result, tuple)
            return result
        return reply

    def post(self, target: str, *values: Value) -> None:
        self.calls.append((target, values))

    async def run_lua(
        self, source: str | bytes, *values: Value, timeout: float | None = CALL_TIMEOUT, name: str = "lua"
    ) -> tuple[Value, ...]:
        return await self.call("lua", source, *values)

    def subscribe(self, handle: Handle, receiver: EventReceiver) -> None:
        self.receivers[handle.number] = receiver
        for name, values in self.early.pop(handle.number, []):
            receiver(name, values)

    def unsubscribe(self, handle: Handle) -> None:
        self.receivers.pop(handle.number, None)

    def grant(self, handle: Handle, amount: int) -> None:
        self.grants.append((handle.number, amount))

    def spare(self) -> None:
        self.calls.append(("spare", ()))

    def release(self, handle: Handle, count: int = 1) -> None:
        self.released += [handle.number] * count

    async def close(self) -> None:
        pass

    def event(self, number: int, name: str, *values: Value) -> None:
        """The board says something of a handle."""
        if number in self.receivers:
            self.receivers[number](name, values)
        else:
            self.early.setdefault(number, []).append((name, values))


class Errors:
    """Collects what is reported of user code."""

    def __init__(self) -> None:
        self.seen: list[tuple[BaseException, str]] = []

    def __call__(self, error: BaseException, where: str) -> None:
        self.seen.append((error, where))


def make_table() -> tuple[FakeCaller, HandleTable, Errors]:
    """A table over a fake link, on the running loop."""
    caller, errors = FakeCaller(), Errors()
    return caller, HandleTable(caller, errors), errors


async def settle() -> None:
    """Let everything that is ready on the loop run."""
    for _ in range(10):
        await asyncio.sleep(0)
