"""Lua values to JSON text, a piece at a time (the encoder of app/modules/sjson.c)."""

from __future__ import annotations

import math
import struct
from collections.abc import Generator
from typing import ClassVar

from bridge.virtual.lua.api import Args, Call, LuaFault, LuaObject, ObjectType, Result, Value, number_text, type_name
from bridge.virtual.modules.sjson_null import Null
from bridge.virtual.sdk.kernel import Kernel

#: DEFAULT_DEPTH.
_DEPTH = 20
_CHUNK = 1024
#: How often a function's result may be a function again.
_CALLS = 10
#: sizeof(ENC_DATA) and of one ENC_DATA_STATE.
_STRUCT, _LEVEL = 24, 12
#: Numbers of Lua's types, which an error names.
_TYPE_NUMBERS = {"nil": 0, "boolean": 1, "number": 3, "string": 4, "table": 5, "function": 6, "userdata": 7}
_THREAD = 8
_SHORT = {8: b"\\b", 9: b"\\t", 10: b"\\n", 12: b"\\f", 13: b"\\r"}

Steps = Generator[Call, tuple[Value, ...], Result]


class Encoder(LuaObject):
    """A `sjson.encoder`.

    Args:
        kernel: services of this boot.
        table: what to encode.
        options: the table of options, or None.
    """

    TYPE: ClassVar[ObjectType]

    def __init__(self, kernel: Kernel, table: Value, options: Value) -> None:
        self._lua = kernel.lua
        self._integral = kernel.options.number == "integer"
        self._modern = kernel.lua.version != "5.1"
        self._table = table
        self._null = None if options is None else self._lua.get(options, "null")
        self._text: bytes | None = None

    def read(self, size: int) -> Steps:
        """Up to `size` bytes of the text; nothing behind its end."""
        if self._text is None:
            text = bytearray()
            yield from self._container(self._table, text, 1)
            self._text = bytes(text)
        piece, self._text = self._text[:size], self._text[size:]
        return piece or None

    def _container(self, table: Value, text: bytearray, depth: int) -> Steps:
        if depth > _DEPTH:
            raise LuaFault("encoder stack overflow")
        items = self._lua.items(table)
        size = _length(items)
        if size >= 0:
            values = dict((int(key), value) for key, value in items)
            text += b"["
            for index in range(1, size + 1):
                text += b"," if index > 1 else b""
                yield from self._element(values.get(index), text, depth)
            text += b"]"
            return None
        separator = b"{"
        for key, value in items:
            text += separator
            self._scalar(number_text(key) if type_name(key) == "number" else key, text)
            text += b":"
            yield from self._element(value, text, depth)
            separator = b","
        text += b"}"
        return None

    def _element(self, value: Value, text: bytearray, depth: int) -> Steps:
        for _ in range(_CALLS):
            if type_name(value) != "function":
                break
            results = yield Call(value)
            value = results[0] if results else None
        if type_name(value) == "table":
            yield from self._container(value, text, depth + 1)
        else:
            self._scalar(value, text)
        return None

    def _scalar(self, value: Value, text: bytearray) -> None:
        if value is None or isinstance(value, Null) or (isinstance(value, bytes) and value == self._null):
            text += b"null"
        elif isinstance(value, bool):
            text += b"true" if value else b"false"
        elif isinstance(value, bytes):
            text += _quoted(value)
        elif isinstance(value, int | float):
            text += self._number(value)
        else:
            raise LuaFault(f"Cannot encode type {_TYPE_NUMBERS.get(type_name(value), _THREAD)}")

    def _number(self, value: int | float) -> bytes:
        if self._integral or (self._modern and isinstance(value, int)):
            return b"%d" % int(value)
        if math.isnan(value) or math.isinf(value):
            return b"null"
        if self._modern:
            (value,) = struct.unpack("<f", struct.pack("<f", value))
            return f"{value:.9g}".encode()
        return f"{float(value):.19g}".encode()


def _length(items: list[tuple[Value, Value]]) -> int:
    """The greatest index of an array, or -1 for an object (`sjson_encoder_get_table_size`)."""
    greatest = 0
    for key, _ in items:
        if type_name(key) != "number" or int(key) <= 0:
            return -1
        greatest = max(greatest, int(key))
    return greatest


def _quoted(value: bytes) -> bytes:
    text = bytearray(b'"')
    for byte in value:
        if byte < 0x20:
            text += _SHORT.get(byte) or b"\\u%04x" % byte
        elif byte == ord('"'):
            text += b'\\"'
        else:
            text.append(byte)
    return bytes(text + b'"')


def _read(args: Args) -> Result:
    encoder: Encoder = args.check_object(1, Encoder)
    size = _CHUNK
    if args.type_name(2) == "number":
        size = max(1, args.check_integer(2))
    return (yield from encoder.read(size))


Encoder.TYPE = ObjectType("sjson.encoder", {"read": _read}, _STRUCT + _DEPTH * _LEVEL)
