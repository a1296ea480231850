"""Lua values on the wire: a letter for the type, two bytes of length or number, and what the letter says.

PROTOCOL.md, "Values", is the normative text. Numbers travel as text: stock Lua has no `struct`. `bridge.wire.numbers`
says how they stay exact in each build of NodeMCU.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from bridge.errors import RemoteProtocolError, ValueRefused
from bridge.wire.numbers import number_of, number_text

#: What a value is in Python: None, bool, int, float, bytes, str (UTF-8 on the wire), Handle, Callback, Opaque,
#: list or tuple (a table with keys 1…n), dict (any table). From the board strings are always bytes.
Value = Any

#: Tables deeper than this are refused on both sides (the agent's encoder is recursive).
MAX_DEPTH = 8


@dataclass(frozen=True, order=True)
class Handle:
    """A board object that the agent keeps for the host, by its number. Numbers are not used twice in an epoch."""

    number: int
    """1 to 65535; 0 stands for the agent itself."""


@dataclass(frozen=True, order=True)
class Callback:
    """A host function that Lua may call: the agent makes a Lua function that sends its arguments to the host."""

    number: int
    """1 to 65535."""


@dataclass(frozen=True)
class Opaque:
    """A Lua value that cannot travel, such as a coroutine."""

    text: bytes
    """What `tostring` says of it on the board."""


@dataclass(frozen=True)
class Aside:
    """A table, object or number that the board keeps until the host has sent what encodes it (to the host)."""

    number: int
    """1 to 65535."""


class Secret(bytes):
    """Bytes, such as a private key, that no log line and no message shows; on the wire they are a string."""

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__


class Tag(IntEnum):
    """First byte of a value: where `type` names it, the last letter of that name. Then two bytes, high one first."""

    NIL = ord("l")  # length of text that means nothing
    BOOLEAN = ord("n")  # length; "true" or "false"
    NUMBER = ord("r")  # length; text, see bridge.wire.numbers
    STRING = ord("g")  # length; the bytes
    TABLE = ord("e")  # count of pairs; key and value of each
    HANDLE = ord("a")  # number of the handle
    CALLBACK = ord("c")  # number of the host's function
    OPAQUE = ord("d")  # length; what `tostring` says of it (to the host)
    ASIDE = ord("s")  # number under which it can be fetched (to the host)


#: What a value is at most, in bytes of text, pairs, or number.
_MOST = 0xFFFF
#: A whole number of more bits is exact in no build of NodeMCU.
_MOST_BITS = 64


def encode_values(values: Sequence[Value], *, to_host: bool = False) -> bytes:
    """The bytes of some values, one after the other.

    Args:
        values: the values.
        to_host: as the board sends them: also what only it can send.

    Raises:
        ValueRefused: a value has no form on the wire.
    """
    out = bytearray()
    for value in values:
        _encode(value, out, 0, to_host)
    return bytes(out)


def decode_values(data: bytes) -> tuple[Value, ...]:
    """The values in some bytes; the inverse of `encode_values` up to str → bytes and tuple → list.

    Raises:
        RemoteProtocolError: the bytes do not end where a value does, or a tag is unknown.
    """
    values = []
    position = 0
    while position < len(data):
        value, position = _decode(data, position, 0)
        values.append(value)
    return tuple(values)


def _head(tag: Tag, number: int, what: str) -> bytes:
    if number > _MOST:
        raise ValueRefused(f"{what} is too long for the wire ({_MOST} at most)", remedy="Send it in parts.")
    return bytes((tag,)) + number.to_bytes(2, "big")


def _encode(value: Value, out: bytearray, depth: int, to_host: bool) -> None:
    if value is None:
        out += _head(Tag.NIL, 0, "")
    elif isinstance(value, bool):
        text = b"true" if value else b"false"
        out += _head(Tag.BOOLEAN, len(text), "") + text
    elif isinstance(value, int | float):
        if isinstance(value, int) and value.bit_length() > _MOST_BITS:
            raise ValueRefused(f"A whole number of {value.bit_length()} bits is too large for Lua")
        text = number_text(value)
        out += _head(Tag.NUMBER, len(text), "") + text
    elif isinstance(value, str):
        try:
            data = value.encode()
        except UnicodeEncodeError:
            raise ValueRefused("A str with half a surrogate pair has no UTF-8", remedy="Pass bytes.") from None
        out += _head(Tag.STRING, len(data), f"A string of {len(data)} bytes") + data
    elif isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        out += _head(Tag.STRING, len(data), f"A string of {len(data)} bytes") + data
    elif isinstance(value, Handle):
        out += _head(Tag.HANDLE, value.number, "A handle's number")
    elif isinstance(value, Callback):
        out += _head(Tag.CALLBACK, value.number, "A callback's number")
    elif isinstance(value, Aside) and to_host:
        out += _head(Tag.ASIDE, value.number, "A number of what is put aside")
    elif isinstance(value, Opaque) and to_host:
        out += _head(Tag.OPAQUE, len(value.text), "What says what a value is") + value.text
    elif isinstance(value, Mapping):
        _encode_table(list(value.items()), out, depth, to_host)
    elif isinstance(value, Sequence):
        _encode_table(list(enumerate(value, 1)), out, depth, to_host)
    else:
        raise ValueRefused(f"A Python {type(value).__name__} has no form on the wire")


def _encode_table(pairs: list[tuple[Value, Value]], out: bytearray, depth: int, to_host: bool) -> None:
    if depth >= MAX_DEPTH:
        raise ValueRefused(
            f"A table nested deeper than {MAX_DEPTH} has no form on the wire", remedy="Does it hold itself?"
        )
    out += _head(Tag.TABLE, len(pairs), f"A table of {len(pairs)} entries")
    keys = set()
    for key, value in pairs:
        if key is None or value is None:
            # Lua drops a nil entry and refuses a nil key; the count must stay true.
            raise ValueRefused("A table on the wire cannot hold None", remedy="Leave the entry out.")
        if key != key:
            raise ValueRefused("NaN is no key of a Lua table")
        at = len(out)
        _encode(key, out, depth + 1, to_host)
        keys.add(bytes(out[at:]))
        _encode(value, out, depth + 1, to_host)
    if len(keys) < len(pairs):
        raise ValueRefused("Two keys of a dict are the same in Lua", remedy="Is one of them str, the other bytes?")


def _take(data: bytes, position: int, count: int) -> bytes:
    end = position + count
    if end > len(data):
        raise RemoteProtocolError(f"A value on the wire ends {end - len(data)} bytes too early")
    return data[position:end]


def _decode(data: bytes, position: int, depth: int) -> tuple[Value, int]:
    head = _take(data, position, 3)
    tag, count = head[0], int.from_bytes(head[1:], "big")
    position += 3
    match tag:
        case Tag.HANDLE:
            return Handle(count), position
        case Tag.CALLBACK:
            return Callback(count), position
        case Tag.ASIDE:
            return Aside(count), position
        case Tag.TABLE:
            return _decode_table(data, position, count, depth)
    found = _take(data, position, count)
    position += count
    match tag:
        case Tag.NIL:
            return None, position
        case Tag.BOOLEAN:
            return found == b"true", position
        case Tag.NUMBER:
            return _number(found), position
        case Tag.STRING:
            return found, position
        case Tag.OPAQUE:
            return Opaque(found), position
    raise RemoteProtocolError(f"A value on the wire has the unknown tag {tag}")


def _decode_table(data: bytes, position: int, count: int, depth: int) -> tuple[Value, int]:
    if depth >= MAX_DEPTH:
        raise RemoteProtocolError(f"A table on the wire is nested deeper than {MAX_DEPTH}")
    pairs: list[tuple[Value, Value]] = []
    for _ in range(count):
        key, position = _decode(data, position, depth + 1)
        value, position = _decode(data, position, depth + 1)
        if isinstance(key, dict | list):
            key = Opaque(b"table %d" % (len(pairs) + 1))  # each is another key
        pairs.append((key, value))
    # A Lua table with keys 1…n is a list; the order in which Lua walked it does not matter. An empty table is one too.
    keyed = {key: value for key, value in pairs if type(key) is int}
    if len(keyed) == count and all(number in keyed for number in range(1, count + 1)):
        return [keyed[number] for number in range(1, count + 1)], position
    return dict(pairs), position


def _number(text: bytes) -> int | float:
    try:
        return number_of(text)
    except (ValueError, OverflowError):
        raise RemoteProtocolError(f"A number on the wire reads {text[:32]!r}") from None
