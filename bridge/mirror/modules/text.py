"""Names and contents on the board: str here, bytes there.

Lua strings have no encoding. Names of files and networks are read as UTF-8, and bytes that are none survive the way
there and back (`surrogateescape`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.errors import UsageError
from bridge.wire.values import Value

#: Contents; a str is sent as UTF-8.
Data = bytes | bytearray | memoryview | str


def to_contents(data: Data) -> bytes:
    """Contents as bytes.

    Raises:
        UsageError: it is something else (`bytes(5)` would be five zeros).
    """
    if isinstance(data, str):
        return data.encode("utf-8", "surrogateescape")
    if not isinstance(data, bytes | bytearray | memoryview):
        raise UsageError(f"A {type(data).__name__} is no contents", remedy="Give bytes, or a str.")
    return bytes(data)


def to_text(value: Value) -> Any:
    """Bytes as str; everything else as it is."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def to_name(value: Value) -> Any:
    """A str as the bytes that `to_text` made it of; everything else as it is."""
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value


def text_table(value: Value) -> dict[str, Any]:
    """A table from the board with str keys and str values, also in the tables within. Lua's empty table is a dict."""
    if not isinstance(value, Mapping):
        return {}
    return {to_text(key): text_table(item) if isinstance(item, dict) else to_text(item) for key, item in value.items()}


def to_table(settings: Mapping[str, Any], what: str) -> dict[str, Value]:
    """Settings as a table for the board; what is None is left out.

    Raises:
        UsageError: no dict.
    """
    if not isinstance(settings, Mapping):
        raise UsageError(f"{what} takes a dict", remedy="Write {…}.")
    return {name: to_name(value) for name, value in settings.items() if value is not None}
