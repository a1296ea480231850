"""What a firmware module is made of, without any Lua in it.

A module of the virtual board is plain Python: functions that take `Args` and return Lua values, in the order in
which the C source declares them. The runtime (`bridge.virtual.lua.runtime`) puts them before the real Lua VM as C
functions: read-only tables, `userdata` objects, error texts with the caller's position.

Lua values in Python: nil is None, booleans are bool, numbers are int or float, strings are bytes, functions and
tables are opaque objects of the VM (use `Args` and `Runtime` to look into them), and an object of the firmware
(`net.tcpsocket`, `tmr.timer`, …) is the Python instance of `LuaObject` behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

#: nil, boolean, number, string (bytes), an opaque VM value, or a LuaObject.
Value = Any
#: What a builtin may return: nothing (None), one value, or several (a tuple; `()` is no value, `(None,)` is nil).
Result = Any


class LuaFault(Exception):
    """Raised by a builtin to raise a Lua error, as `luaL_error` does: the caller's `chunk:line: ` is put before it.

    Args:
        text: the message without position.
        position: False to leave the position out (`lua_error` with a bare string).
    """

    def __init__(self, text: str | bytes, *, position: bool = True) -> None:
        super().__init__(text)
        self.text = text.encode("latin-1") if isinstance(text, str) else text
        self.position = position


class ArgumentFault(LuaFault):
    """Raised by a builtin as `luaL_argerror` does: "bad argument #n to 'name' (text)".

    The runtime finds the name that the caller used, and leaves `self` out of the count for a method call.

    Args:
        number: position of the argument, from 1.
        text: the part in parentheses.
    """

    def __init__(self, number: int, text: str) -> None:
        super().__init__(text)
        self.number = number


@dataclass(frozen=True)
class Call:
    """Yielded by a builtin that is a generator: call this Lua function now, unprotected, on the caller's stack.

    The generator is resumed with the tuple of results. An error in the function goes through the builtin as it
    goes through a C function: the generator is closed. (`net.socket:connect` with a dotted address fires its "dns"
    handler like this; `udpsocket:send` its "sent".)
    """

    function: Value
    arguments: tuple[Value, ...] = ()


Builtin = Callable[["Args"], "Result | Generator[Call, tuple[Value, ...], Result]"]


class LuaObject:
    """Base of the Python object behind a userdata of the firmware.

    Subclasses set `TYPE`. The runtime keeps one userdata per object as long as Lua or `Runtime.pin` holds it, and
    calls `collected` when Lua's collector has taken the userdata (`__gc`).
    """

    TYPE: ClassVar[ObjectType]

    def collected(self) -> None:
        """Lua dropped the last reference to the userdata and it was not pinned."""


@dataclass(frozen=True)
class ObjectType:
    """A metatable of the firmware: its registry name and its methods, in declaration order.

    Args:
        name: as given to `luaL_newmetatable`/`luaL_rometatable`, e.g. "net.tcpsocket"; used in error texts.
        methods: name → builtin; `Args[0]` is the object itself.
        size: bytes of the userdata on the 32-bit chip, without header (`sizeof` the C struct).
        metamethods: further metatable entries such as `__tostring`, as builtins.
        has_gc: its `__gc` is an entry of the table in ROM, which programs see and can call.
    """

    name: str
    methods: Mapping[str, Builtin]
    size: int
    metamethods: Mapping[str, Builtin] = field(default_factory=dict)
    has_gc: bool = True


@dataclass(frozen=True)
class Module:
    """A module of the firmware as it appears in Lua: a read-only table.

    Args:
        name: global name, e.g. "uart"; "" for the base library.
        entries: name → builtin, constant, or a nested Module, in declaration order.
        index: answers for other keys (`__index` of the table's metatable), called with the table and the key.
        shares: an object type whose methods are the module's functions of the same names.
    """

    name: str
    entries: Mapping[str, Builtin | Value | Module]
    index: Builtin | None = None
    shares: ObjectType | None = None


class Args(tuple[Value, ...]):
    """Arguments of one call of a builtin, with the checks of Lua's auxiliary library.

    Positions count from 1, as in C. `len()` tells "no value" from nil. Error texts are those of
    app/lua/lauxlib.c; `self` of a method counts as 1 here, and the runtime takes it off in the message.
    """

    #: Set by the runtime; describes values that Python cannot: type names of opaque VM values.
    describe: ClassVar[Callable[[Value], str]]

    def get(self, number: int) -> Value:
        """The argument at a position, or None when it is nil or absent."""
        return self[number - 1] if number <= len(self) else None

    def is_none(self, number: int) -> bool:
        """True when there is no such argument at all (`lua_isnone`)."""
        return number > len(self)

    def type_name(self, number: int) -> str:
        """Lua's name of the type: "nil", "number", …, or "no value"."""
        return "no value" if self.is_none(number) else type_name(self[number - 1])

    def type_error(self, number: int, expected: str) -> ArgumentFault:
        """The fault of `luaL_typerror`: "expected expected, got actual"."""
        return ArgumentFault(number, f"{expected} expected, got {self.type_name(number)}")

    def is_number(self, number: int) -> bool:
        """As `lua_isnumber`: a number, or a string that reads as one."""
        return to_number(self.get(number)) is not None

    def is_string(self, number: int) -> bool:
        """As `lua_isstring`: a string or a number."""
        value = self.get(number)
        return isinstance(value, bytes | int | float) and not isinstance(value, bool)

    def is_function(self, number: int) -> bool:
        """True for a Lua function (also one of the firmware's own)."""
        return self.type_name(number) == "function"

    def check_number(self, number: int) -> int | float:
        """As `luaL_checknumber`."""
        value = to_number(self.get(number))
        if value is None:
            raise self.type_error(number, "number")
        return value

    def check_integer(self, number: int) -> int:
        """As `luaL_checkinteger` on the 32-bit chip: truncated towards zero, wrapped to 32 bits, signed."""
        return to_int32(self.check_number(number))

    def to_integer(self, number: int) -> int:
        """As `lua_tointeger` (5.1): truncated and wrapped to 32 bits; 0 for what is not a number."""
        value = to_number(self.get(number))
        return 0 if value is None else to_int32(value)

    def opt_integer(self, number: int, default: int) -> int:
        """As `luaL_optinteger`: nil and absent give the default."""
        return default if self.get(number) is None else self.check_integer(number)

    def check_string(self, number: int) -> bytes:
        """As `luaL_checklstring`: numbers are turned into their text."""
        value = self.get(number)
        if isinstance(value, bytes):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return number_text(value)
        raise self.type_error(number, "string")

    def opt_string(self, number: int, default: bytes) -> bytes:
        """As `luaL_optlstring`."""
        return default if self.get(number) is None else self.check_string(number)

    def check_table(self, number: int) -> Value:
        """As `luaL_checktype(L, n, LUA_TTABLE)`; the opaque table."""
        if self.type_name(number) != "table":
            raise self.type_error(number, "table")
        return self.get(number)

    def check_function(self, number: int) -> Value:
        """As `luaL_checktype(L, n, LUA_TFUNCTION)`; the opaque function."""
        if not self.is_function(number):
            raise self.type_error(number, "function")
        return self.get(number)

    def check_object(self, number: int, kind: type[LuaObject]) -> Any:
        """As `luaL_checkudata`: the object, if it is of this kind."""
        value = self.get(number)
        if not isinstance(value, kind):
            raise self.type_error(number, kind.TYPE.name)
        return value

    def check_option(self, number: int, options: Sequence[str], default: str | None = None) -> int:
        """As `luaL_checkoption`: index of the named option."""
        value = self.get(number)
        text = default.encode() if value is None and default is not None else self.check_string(number)
        try:
            return [option.encode() for option in options].index(text)
        except ValueError:
            raise ArgumentFault(number, f"invalid option '{text.decode('latin-1')}'") from None


class Args53(Args):
    """Arguments of a call on 5.3, whose integers are a kind of their own (app/lua53/lauxlib.c)."""

    def check_integer(self, number: int) -> int:
        """As `luaL_checkinteger` on 5.3: a number that is not integral is refused."""
        value = self.check_number(number)
        if isinstance(value, float) and not (value.is_integer() and -0x80000000 <= value <= 0x7FFFFFFF):
            raise ArgumentFault(number, "number has no integer representation")
        return to_int32(value)

    def to_integer(self, number: int) -> int:
        """As `lua_tointeger` on 5.3: 0 for what is not integral."""
        value = to_number(self.get(number))
        if isinstance(value, float) and not (value.is_integer() and -0x80000000 <= value <= 0x7FFFFFFF):
            return 0
        return 0 if value is None else to_int32(value)

    def check_string(self, number: int) -> bytes:
        """As `luaL_checklstring` on 5.3: floats show that they are floats."""
        value = self.get(number)
        return number_text_53(value) if isinstance(value, float) else super().check_string(number)


def to_int32(value: int | float) -> int:
    """A Lua number as the chip's 32-bit `lua_Integer`: truncated and wrapped, signed.

    The double goes through `long long` first (app/lua/lapi.c `lua_tointegerx` with `lua_number2integer`).
    """
    try:
        whole = int(value)
    except (OverflowError, ValueError):  # infinities and NaN: undefined in C; the chip gives 0
        return 0
    return (whole + 0x80000000) % 0x100000000 - 0x80000000


def to_number(value: Value) -> int | float | None:
    """As `lua_tonumber`: numbers, and strings that read as a number; otherwise None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, bytes):
        text = value.strip(b" \t\n\r\f\v").lower()
        try:
            if text.lstrip(b"+-").startswith(b"0x"):
                return int(text, 16)
            if text in {b"inf", b"nan", b"infinity"} or b"_" in text:
                return None
            return float(text) if any(c in text for c in b".en") else int(text)
        except ValueError:
            return None
    return None


def number_text(value: int | float) -> bytes:
    """A number as `tostring` writes it on a float build of 5.1 ("%.14g")."""
    if isinstance(value, int) and abs(value) < 10**14:
        return b"%d" % value
    return format_g(float(value), 14).encode()


def number_text_53(value: int | float) -> bytes:
    """A number as `tostring` writes it on 5.3: 32-bit floats with "%.7g", and ".0" behind integral ones."""
    if isinstance(value, int):
        return b"%d" % value
    text = format_g(value, 7)
    return (text + ".0" if text.lstrip("-").isdigit() else text).encode()


def format_g(value: float, digits: int) -> str:
    """C's "%.<digits>g"."""
    return f"{value:.{digits}g}"


def type_name(value: Value) -> str:
    """Lua's name of a value's type."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, bytes):
        return "string"
    if isinstance(value, LuaObject):
        return "userdata"
    return Args.describe(value)
