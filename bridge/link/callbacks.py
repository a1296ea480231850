"""Python functions that Lua on the board may call, by number."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from bridge.errors import BridgeError, LocalProtocolError
from bridge.wire.values import Callback, Value

_MOST = 0xFFFF
#: New functions after which the board is asked, at the earliest, which of them Lua still holds.
ASK_AFTER = 32


class CallbackTable:
    """Numbers functions of the host, and lets those go that Lua does not hold any more.

    Args:
        url: the port, for messages.
        ask: asks the board which functions Lua holds: their numbers, of two bytes each. Without it all are kept.
    """

    def __init__(self, url: str, ask: Callable[[], Awaitable[Value]] | None = None) -> None:
        self._url = url
        self._ask = ask
        self._asking: asyncio.Task[None] | None = None
        self._ask_at = ASK_AFTER
        self._functions: dict[int, Callable[..., object]] = {}
        self._numbers: dict[int, int] = {}
        # When a number was last sent, counted in sendings: one that was sent after the board was asked is held.
        self._sent: dict[int, int] = {}
        self._sendings = 0
        self._last = 0

    def outward(self, value: Value) -> Value:
        """A value as it travels, now: functions in it, at any depth, become their numbers.

        Raises:
            LocalProtocolError: the board holds 65 535 functions already.
        """
        if isinstance(value, list | tuple):
            return [self.outward(item) for item in value]
        if isinstance(value, dict):
            return {self.outward(key): self.outward(item) for key, item in value.items()}
        return Callback(self._number_of(value)) if callable(value) else value

    def function(self, number: int) -> Callable[..., object] | None:
        """The function that Lua calls by a number."""
        return self._functions.get(number)

    def _number_of(self, function: Callable[..., object]) -> int:
        number = self._numbers.get(id(function))
        if number is None:
            if len(self._functions) >= _MOST:
                raise LocalProtocolError(f"Lua holds {_MOST} Python functions already", port=self._url)
            number = self._last % _MOST + 1
            while number in self._functions:
                number = number % _MOST + 1
            self._last = number
            self._functions[number] = function
            self._numbers[id(function)] = number
            if self._ask is not None and self._asking is None and len(self._functions) >= self._ask_at:
                # From the loop: what this function is sent with is on its way before the question.
                self._asking = asyncio.get_running_loop().create_task(self._let_go(self._ask))
        self._sendings += 1
        self._sent[number] = self._sendings
        return number

    async def _let_go(self, ask: Callable[[], Awaitable[Value]]) -> None:
        asked = self._sendings
        # A link that is down or a board that is busy: it is asked again with the next new function.
        with contextlib.suppress(BridgeError):
            found = await ask()
            held = {int.from_bytes(found[at : at + 2], "big") for at in range(0, len(found), 2)}
            for number in [number for number, sent in self._sent.items() if sent <= asked and number not in held]:
                del self._numbers[id(self._functions.pop(number))], self._sent[number]
            self._ask_at = max(ASK_AFTER, 2 * len(self._functions))
        self._asking = None
