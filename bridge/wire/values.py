"""Lua values on the wire: one tag byte, then what the tag says. PROTOCOL.md, "Values", is the normative text.

Small numbers, short strings and low handle numbers are the tag alone or the tag and their bytes, because a call
should cost as few bytes as it can. Numbers beyond 63 travel as decimal text: stock Lua has no `struct`, and text is
exact in each of the three builds of NodeMCU (Lua 5.1 with doubles, 5.1 with integers, 5.3).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from bridge.errors import LocalProtocolError, RemoteProtocolError

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


class Tag(IntEnum):
    """First byte of a value. Below NIL the tag carries the value or the length itself."""

    SMALL = 0  # 0…63: the whole number itself
    SHORT = 64  # 64…127: a string of tag − 64 bytes
    OBJECT = 128  # 128…191: the handle with number tag − 128
    NIL = 192
    FALSE = 193
    TRUE = 194
    STRING = 195  # two bytes of length (high first), then the bytes
    NUMBER = 196  # as STRING: decimal text
    HANDLE = 197  # two bytes of number (high first)
    CALLBACK = 198  # two bytes of number (high first)
    TABLE = 199  # two bytes of count (high first), then that many pairs of key and value
    OPAQUE = 200  # as STRING


def encode_values(values: Sequence[Value]) -> bytes:
    """The bytes of some values, one after the other.

    Raises:
        LocalProtocolError: a value has no form on the wire.
    """
    out = bytearray()
    for value in values:
        _encode(value, out, 0)
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


def number_text(value: int | float) -> bytes:
    """A number as Lua source of any build reads it back exactly; whole floats keep a point.

    Raises:
        LocalProtocolError: infinity and NaN have no text that `tonumber` reads; beyond a double is beyond Lua.
    """
    if isinstance(value, int):
        if value.bit_length() > 1023:
            raise LocalProtocolError(f"A whole number of {value.bit_length()} bits is too large for Lua")
        return b"%d" % value
    if not math.isfinite(value):
        raise LocalProtocolError(f"The number {value} has no form on the wire")
    return repr(value).encode()


def _sized(tag: Tag, data: bytes, out: bytearray) -> None:
    if len(data) > 0xFFFF:
        raise LocalProtocolError(f"A string of {len(data)} bytes is too long for the wire (65535 bytes at most)")
    out.append(tag)
    out += len(data).to_bytes(2, "big") + data


def _encode(value: Value, out: bytearray, depth: int) -> None:
    if value is None:
        out.append(Tag.NIL)
    elif value is True:
        out.append(Tag.TRUE)
    elif value is False:
        out.append(Tag.FALSE)
    elif isinstance(value, int) and 0 <= value < 64:
        out.append(Tag.SMALL + value)
    elif isinstance(value, int | float):
        text = number_text(value)
        _sized(Tag.NUMBER, text, out)
    elif isinstance(value, str):
        _encode(value.encode(), out, depth)
    elif isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        if len(data) < 64:
            out.append(Tag.SHORT + len(data))
            out += data
        else:
            _sized(Tag.STRING, data, out)
    elif isinstance(value, Handle):
        if 0 <= value.number < 64:
            out.append(Tag.OBJECT + value.number)
        else:
            out.append(Tag.HANDLE)
            out += value.number.to_bytes(2, "big")
    elif isinstance(value, Callback):
        out.append(Tag.CALLBACK)
        out += value.number.to_bytes(2, "big")
    elif isinstance(value, Mapping):
        _encode_table(list(value.items()), out, depth)
    elif isinstance(value, Sequence):
        _encode_table(list(enumerate(value, 1)), out, depth)
    else:
        raise LocalProtocolError(f"A Python {type(value).__name__} has no form on the wire")


def _encode_table(pairs: list[tuple[Value, Value]], out: bytearray, depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise LocalProtocolError(f"A table nested deeper than {MAX_DEPTH} has no form on the wire")
    if len(pairs) > 0xFFFF:
        raise LocalProtocolError(f"A table of {len(pairs)} entries is too long for the wire (65535 at most)")
    out.append(Tag.TABLE)
    out += len(pairs).to_bytes(2, "big")
    for key, value in pairs:
        if key is None or value is None:
            # Lua drops a nil entry and refuses a nil key; the count must stay true.
            raise LocalProtocolError("A table on the wire cannot hold None")
        _encode(key, out, depth + 1)
        _encode(value, out, depth + 1)


def _take(data: bytes, position: int, count: int) -> bytes:
    end = position + count
    if end > len(data):
        raise RemoteProtocolError(f"A value on the wire ends {end - len(data)} bytes too early")
    return data[position:end]


def _decode(data: bytes, position: int, depth: int) -> tuple[Value, int]:
    tag = _take(data, position, 1)[0]
    position += 1
    if tag < Tag.SHORT:
        return tag, position
    if tag < Tag.OBJECT:
        size = tag - Tag.SHORT
        return _take(data, position, size), position + size
    if tag < Tag.NIL:
        return Handle(tag - Tag.OBJECT), position
    if tag == Tag.NIL:
        return None, position
    if tag in (Tag.FALSE, Tag.TRUE):
        return tag == Tag.TRUE, position
    if tag > Tag.OPAQUE:
        raise RemoteProtocolError(f"A value on the wire has the unknown tag {tag}")
    count = int.from_bytes(_take(data, position, 2), "big")
    position += 2
    if tag == Tag.HANDLE:
        return Handle(count), position
    if tag == Tag.CALLBACK:
        return Callback(count), position
    if tag == Tag.TABLE:
        return _decode_table(data, position, count, depth)
    found = _take(data, position, count)
    if tag == Tag.NUMBER:
        return _number(found), position + count
    return (found if tag == Tag.STRING else Opaque(found)), position + count


def _decode_table(data: bytes, position: int, count: int, depth: int) -> tuple[Value, int]:
    if depth >= MAX_DEPTH:
        raise RemoteProtocolError(f"A table on the wire is nested deeper than {MAX_DEPTH}")
    pairs = []
    for _ in range(count):
        key, position = _decode(data, position, depth + 1)
        value, position = _decode(data, position, depth + 1)
        if isinstance(key, dict | list):
            key = Opaque(b"table")
        pairs.append((key, value))
    # A Lua table with keys 1…n is a list; the order in which Lua walked it does not matter. An empty table is one too.
    keyed = {key: value for key, value in pairs if type(key) is int}
    if len(keyed) == count and all(number in keyed for number in range(1, count + 1)):
        return [keyed[number] for number in range(1, count + 1)], position
    return dict(pairs), position


def _number(text: bytes) -> int | float:
    try:
        whole = text.decode("ascii")
        if whole.lstrip("+-").isdigit():
            return int(whole)
        lowered = whole.strip().lower()
        if "nan" in lowered:  # printed with either sign, by C library
            return math.nan
        return float(lowered)
    except ValueError:
        raise RemoteProtocolError(f"A number on the wire reads {text[:32]!r}") from None
