"""The `struct` module (app/modules/struct.c): binary records to and from Lua values, as on the 32-bit chip."""

from __future__ import annotations

import struct as binary
from dataclasses import dataclass

from bridge.virtual.lua.api import Args, ArgumentFault, LuaFault, Module, Value
from bridge.virtual.sdk.kernel import Kernel

_INT_MAX = 0x7FFFFFFF
#: Alignment of a double, which "!" without a number takes.
_MAX_ALIGNMENT = 8
_SIZES = {"B": 1, "b": 1, "H": 2, "h": 2, "L": 4, "l": 4, "T": 4, "x": 1}
_INTEGERS = frozenset("bBhHlLTiI")


@dataclass(frozen=True)
class Build:
    """What differs between the builds of Lua: decimals at all, and the width of a number."""

    decimals: bool
    single: bool

    @property
    def largest(self) -> int:
        """Largest size an integer may have, in bytes."""
        return 32 if self.decimals else 4


class _Format:
    """A walk over a format string; the string ends at its first NUL, as in C."""

    def __init__(self, text: bytes, build: Build) -> None:
        self.text = text.split(b"\0", 1)[0].decode("latin-1")
        self.at = 0
        self.build = build
        self.big = False
        self.alignment = 1

    def __bool__(self) -> bool:
        return self.at < len(self.text)

    def option(self) -> tuple[str, int]:
        """The next option and its size in bytes."""
        option = self.text[self.at]
        self.at += 1
        return option, self._size(option)

    def padding(self, position: int, option: str, size: int) -> int:
        """Bytes to skip so that an element of this size is aligned."""
        if size == 0 or option == "c":
            return 0
        size = min(size, self.alignment)
        return (size - (position & (size - 1))) & (size - 1)

    def control(self, option: str) -> None:
        """Options that set the byte order and the alignment."""
        if option in "<>":
            self.big = option == ">"
        elif option == "!":
            alignment = self._number(_MAX_ALIGNMENT)
            if alignment <= 0 or alignment & (alignment - 1):
                raise LuaFault(f"alignment {alignment} is not a power of 2")
            self.alignment = alignment
        elif option != " ":
            raise ArgumentFault(1, f"invalid format option '{option}'")

    def _size(self, option: str) -> int:
        if option in _SIZES:
            return _SIZES[option]
        if option in "fd" and self.build.decimals:
            return 4 if option == "f" else 8
        if option == "c":
            return self._number(1)
        if option in "iI":
            size = self._number(4)
            if size > self.build.largest:
                raise LuaFault(f"integral size {size} is larger than limit of {self.build.largest}")
            return size
        return 0

    def _number(self, default: int) -> int:
        start = self.at
        number = 0
        while self.at < len(self.text) and "0" <= self.text[self.at] <= "9":
            number = number * 10 + int(self.text[self.at])
            if number > _INT_MAX:
                raise LuaFault("integral size overflow")
            self.at += 1
        return default if self.at == start else number


def build(kernel: Kernel) -> Module:
    """The module as Lua sees it."""
    build = Build(kernel.options.number != "integer", kernel.lua.version != "5.1")
    return Module(
        "struct",
        {
            "pack": lambda args: pack(args, build),
            "unpack": lambda args: unpack(args, build),
            "size": lambda args: size_of(args, build),
        },
    )


def pack(args: Args, build: Build) -> bytes:
    """`struct.pack(format, …)`."""
    form = _Format(args.check_string(1), build)
    args = type(args)((*args, None))  # the mark between the arguments and the buffer: what is missing is nil
    packed = bytearray()
    number = 2
    while form:
        option, size = form.option()
        packed += bytes(form.padding(len(packed), option, size))
        order = "big" if form.big else "little"
        if option in _INTEGERS:
            value = args.check_integer(number) & 0xFFFFFFFF
            field = value.to_bytes(max(size, 4), "little")[:size]
            packed += field[::-1] if form.big else field
            number += 1
        elif option == "x":
            packed += b"\0"
        elif option in "fd" and build.decimals:
            packed += _pack_decimal(option, float(args.check_number(number)), order)
            number += 1
        elif option in "cs":
            text = args.check_string(number)
            number += 1
            size = size or len(text)
            if len(text) < size:
                raise ArgumentFault(number, "string too short")
            packed += text[:size]
            if option == "s":
                packed += b"\0"
        else:
            form.control(option)
    return bytes(packed)


def unpack(args: Args, build: Build) -> tuple[Value, ...]:
    """`struct.unpack(format, data[, position])`: the values, and the position behind them."""
    form = _Format(args.check_string(1), build)
    data = args.check_string(2)
    position = args.opt_integer(3, 1) - 1
    values: list[Value] = []
    while form:
        option, size = form.option()
        position += form.padding(position, option, size)
        if option == "c" and size == 0 and position <= len(data):
            size = _previous_size(values)
        if position < 0 or position + size > len(data):
            raise ArgumentFault(2, "data string too short")
        field = data[position : position + size]
        if option in _INTEGERS:
            values.append(_integer(field, form.big, option.islower(), build))
        elif option in "fd" and build.decimals:
            (value,) = binary.unpack((">" if form.big else "<") + option, field)
            values.append(value)
        elif option == "c":
            values.append(field)
        elif option == "s":
            end = data.find(b"\0", position)
            if end < 0:
                raise LuaFault("unfinished string in data")
            values.append(data[position:end])
            size = end - position + 1
        elif option != "x":
            form.control(option)
        position += size
    return (*values, position + 1)


def size_of(args: Args, build: Build) -> int:
    """`struct.size(format)`: bytes that a record of this format takes."""
    form = _Format(args.check_string(1), build)
    position = 0
    while form:
        option, size = form.option()
        position += form.padding(position, option, size)
        if option == "s":
            raise ArgumentFault(1, "option 's' has no fixed size")
        if option == "c" and size == 0:
            raise ArgumentFault(1, "option 'c0' has no fixed size")
        if not (option.isascii() and option.isalnum()):
            form.control(option)
        position += size
    return position


def _pack_decimal(option: str, value: float, order: str) -> bytes:
    form = (">" if order == "big" else "<") + option
    try:
        return binary.pack(form, value)
    except OverflowError:  # C's conversion to float gives infinity
        return binary.pack(form, float("inf") if value > 0 else float("-inf"))


def _previous_size(values: list[Value]) -> int:
    size = values.pop() if values else None
    if not isinstance(size, int | float):
        raise LuaFault("format `c0' needs a previous size")
    return int(size)


def _integer(field: bytes, big: bool, signed: bool, build: Build) -> int | float:
    """The number in a field; 64 bits are kept, and what is beyond 32 becomes a Lua number that is not an integer."""
    value = int.from_bytes(field, "big" if big else "little") & 0xFFFFFFFFFFFFFFFF
    width = 8 * min(len(field), 8) if signed else 64
    if width and value >> (width - 1) & 1:
        value -= 1 << width
    if -_INT_MAX - 1 <= value <= _INT_MAX:
        return value
    if not build.decimals:
        return (value + 0x80000000) % 0x100000000 - 0x80000000
    if build.single:
        (single,) = binary.unpack("<f", binary.pack("<f", value))
        return float(single)
    return float(value)
