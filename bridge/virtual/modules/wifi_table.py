"""Reading the configuration tables of `wifi`: each field has its type, its range, and its own complaint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.virtual.lua.api import Args, ArgumentFault, Value, to_int32, to_number, type_name
from bridge.virtual.sdk.kernel import Kernel


class ConfigTable:
    """The table given as first argument.

    Args:
        kernel: whose Lua.
        arguments: of the call; the first one is a table.
    """

    def __init__(self, kernel: Kernel, arguments: Args) -> None:
        self._kernel = kernel
        self._table = arguments.get(1)

    def get(self, name: str) -> Value:
        """A field as it is."""
        return self._kernel.lua.get(self._table, name)

    def string(self, name: str, low: int, high: int, complaint: str, kind: str) -> bytes | None:
        """A string of so many bytes, or None when absent.

        Raises:
            ArgumentFault: it is no string (`kind`), or too short or long (`complaint`).
        """
        value = self.get(name)
        if value is None:
            return None
        text = string_of(value)
        if text is None:
            raise ArgumentFault(1, kind)
        if not low <= len(text) <= high:
            raise ArgumentFault(1, complaint)
        return text

    def number(self, name: str, low: int, high: int, default: int, complaint: str, kind: str) -> int:
        """An integer in a range, or the default when absent.

        Raises:
            ArgumentFault: it is no number (`kind`), or out of range (`complaint`).
        """
        value = self.get(name)
        if value is None:
            return default
        number = to_number(value)
        if number is None:
            raise ArgumentFault(1, kind)
        whole = to_int32(number)
        if not low <= whole <= high:
            raise ArgumentFault(1, complaint)
        return whole

    def boolean(self, name: str, default: bool, kind: str) -> bool:
        """A boolean, or the default when absent.

        Raises:
            ArgumentFault: it is something else.
        """
        value = self.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise ArgumentFault(1, kind)
        return value

    def callback(self, name: str, register: Callable[[Value], None], kind: str) -> None:
        """Register a function, if there is one.

        Raises:
            ArgumentFault: the field is something else.
        """
        value = self.get(name)
        if value is None:
            return
        if type_name(value) != "function":
            raise ArgumentFault(1, kind)
        register(value)


def string_of(value: Value) -> bytes | None:
    """The text of a string or number (`lua_isstring`), or None."""
    arguments = Args((value,))
    return arguments.check_string(1) if arguments.is_string(1) else None


def read_mac(text: bytes) -> bytes:
    """As `ets_str2macaddr`: six hex numbers at every third character; what is not hex counts as 0."""
    parts = (text[i : i + 2] for i in range(0, 17, 3))
    return bytes(_hex_byte(part) for part in parts)


def _hex_byte(text: bytes) -> int:
    try:
        return int(text, 16) & 0xFF
    except ValueError:
        return 0


def check_mac(arguments: Args, number: int) -> bytes:
    """A MAC address given as text.

    Raises:
        ArgumentFault: it has not 17 characters.
    """
    text = arguments.check_string(number)
    if len(text) != 17:
        raise ArgumentFault(number, "MAC:FF:FF:FF:FF:FF:FF")
    return read_mac(text)


def is_table(arguments: Args, number: int) -> Any:
    """True for a Lua table."""
    return arguments.type_name(number) == "table"
