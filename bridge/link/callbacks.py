"""Python functions that Lua on the board may call, by number."""

from __future__ import annotations

from collections.abc import Callable

from bridge.errors import LocalProtocolError
from bridge.wire.values import Callback, Value

_MOST = 0xFFFF


class CallbackTable:
    """Numbers functions of the host. A number is kept until the boot ends: Lua may hold the function as long.

    Args:
        url: the port, for messages.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._functions: dict[int, Callable[..., object]] = {}
        self._numbers: dict[int, int] = {}
        self._dropped: dict[int, int] = {}

    def outward(self, value: Value) -> Value:
        """A value as it travels: a function becomes its number.

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
        return sum(self._dropped.values())

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
            number = len(self._functions) + 1
            if number > _MOST:
                raise LocalProtocolError(f"Lua holds {_MOST} Python functions already", port=self._url)
            self._functions[number] = function
            self._numbers[id(function)] = number
        return number
