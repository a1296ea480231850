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
        # Calls that the board dropped: by number, and of functions that were let go since.
        self._dropped: dict[int, int] = {}
        self._dropped_before = 0

    def outward(self, value: Value) -> Value:
        """A value as it travels, now: a function becomes its number.

        Raises:
            LocalProtocolError: the board holds 65 535 functions already.
        """
        return Callback(self._number_of(value)) if callable(value) else value

    def function(self, number: int) -> Callable[..., object] | None:
        """The function that Lua calls by a number."""
        return self._functions.get(number)

    @property
    def dropped(self) -> int:
        """Calls that the board has dropped, of all functions."""
        return self._dropped_before + sum(self._dropped.values())

    def lost(self, number: int, count: int) -> str | None:
        """The board has dropped some calls of a function; what to tell of it, which is less and less often."""
        before = self._dropped.get(number, 0)
        total = self._dropped[number] = before + count
        if before.bit_length() == total.bit_length():
            return None
        function = self._functions.get(number)
        name = getattr(function, "__qualname__", None) or repr(function)
        return f"Calls of {name} from Lua were dropped, {total} so far: more came than the line carries"

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
                self._dropped_before += self._dropped.pop(number, 0)
            self._ask_at = max(ASK_AFTER, 2 * len(self._functions))
        self._asking = None
