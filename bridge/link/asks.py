"""Host functions that Lua waits for: they run, and the board gets what they return."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextvars import ContextVar

from bridge.errors import BridgeError, ValueRefused
from bridge.wire.values import Value, encode_values

#: Whether what runs is a function that Lua waits for.
ASKED: ContextVar[bool] = ContextVar("ASKED", default=False)
#: Bytes of an error's text that go to the board.
_TEXT = 300


class Asks:
    """Questions of the board that are open, by the number of the call that asks.

    Args:
        answer: sends an answer: the call's number, and the rest of the message; may raise BridgeError.
        outward: makes a value fit the board.
    """

    def __init__(self, answer: Callable[[int, bytes], None], outward: Callable[[Value], Value]) -> None:
        self._answer = answer
        self._outward = outward
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def begin(self, function: Callable[..., object] | None, call_id: int, values: tuple[Value, ...]) -> None:
        """Lua asks: run the function. Without one, the answer is an error at once."""
        task = asyncio.get_running_loop().create_task(self._run(function, call_id, values))
        self._tasks[call_id] = task
        task.add_done_callback(
            lambda done: self._tasks.pop(call_id, None) if self._tasks.get(call_id) is done else None
        )

    def give_up(self, call_id: int) -> None:
        """Nobody waits for the call any more: its function is cancelled, and Lua gets an error."""
        if (task := self._tasks.get(call_id)) is not None:
            task.cancel()

    def close(self) -> None:
        """The boot is over."""
        tasks, self._tasks = list(self._tasks.values()), {}
        for task in tasks:
            task.cancel()

    async def _run(self, function: Callable[..., object] | None, call_id: int, values: tuple[Value, ...]) -> None:
        ASKED.set(True)  # for this task, and what it starts
        try:
            if function is None:
                raise LookupError("nobody waits for this call")
            # The mirror's callbacks run a question beside the calls that Lua does not wait for.
            result = getattr(function, "ask", function)(*values)
            if inspect.isawaitable(result):
                result = await result
            results = result if isinstance(result, tuple) else () if result is None else (result,)
            self._say(call_id, True, results)
        except asyncio.CancelledError:
            self._say(call_id, False, ("the host gave the call up",))
            raise
        except Exception as error:
            self._say(call_id, False, (f"{type(error).__name__}: {error}"[:_TEXT],))

    def _say(self, call_id: int, ok: bool, results: tuple[Value, ...]) -> None:
        try:
            try:
                encoded = encode_values([self._outward(value) for value in results])
                self._answer(call_id, bytes((ok,)) + encoded)
            except ValueRefused as error:
                self._answer(call_id, b"\0" + encode_values([f"ValueRefused: {error}"[:_TEXT]]))
        except BridgeError:
            pass  # the link is over, and so is who asked
