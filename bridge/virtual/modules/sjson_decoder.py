"""JSON text to Lua values, a piece at a time (the decoder of app/modules/sjson.c)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, ClassVar

from bridge.virtual.lua.api import Args, Call, LuaFault, LuaObject, ObjectType, Result, Value, to_number, type_name
from bridge.virtual.modules.sjson_null import NULL
from bridge.virtual.modules.sjson_parser import JsonFault, Parser, What, unescape
from bridge.virtual.sdk.kernel import Kernel

#: DEFAULT_DEPTH.
_DEPTH = 20
#: sizeof(JSN_DATA), of struct jsonsl_st without its levels, and of one level.
_STRUCT, _PARSER, _LEVEL = 56, 88, 40

Steps = Generator[Call, tuple[Value, ...], Result]


class Decoder(LuaObject):
    """A `sjson.decoder`.

    Args:
        kernel: services of this boot.
        args: the arguments of the call that makes it.
        number: where in them the table of options may stand.
    """

    TYPE: ClassVar[ObjectType]

    def __init__(self, kernel: Kernel, args: Args, number: int) -> None:
        self._lua = kernel.lua
        self._integral = kernel.options.number == "integer"
        self._modern = kernel.lua.version != "5.1"
        self._null: Value = NULL
        self._metatable: Value = None
        self._checkpath: Value = None
        if args.type_name(number) == "table":
            options = args.get(number)
            self._null = self._lua.get(options, "null")
            self._metatable = self._lua.get(options, "metatable")
            if self._metatable is not None:
                self._checkpath = self._lua.get(self._metatable, "checkpath")
        self._parser = Parser(_DEPTH)
        self._failed = False
        self._complete = False
        self._key: bytes | None = None
        # Tables being filled, outermost first, with the count of list elements in each.
        self._tables: list[Any] = []
        self._counts = [0]
        self._path: list[Value] = []
        self._result: Value = None

    def write(self, text: bytes) -> Steps:
        """Take more text; the result when the document is complete, else nothing."""
        if self._failed:
            raise LuaFault("JSON parse error: previous call")
        if not self._complete:
            try:
                for event in self._parser.feed(text):
                    yield from self._take(event.what, event.text)
                    if self._complete:
                        break
            except JsonFault as fault:
                self._failed = True
                raise LuaFault(f"JSON parse error: {fault}") from None
        return (self._result,) if self._complete else None

    def decode(self, text: bytes) -> Steps:
        """A whole document."""
        result = yield from self.write(text)
        if not self._complete:
            raise LuaFault("Incomplete JSON object passed to sjson.decode")
        return result

    def result(self) -> Result:
        """The document, once it is complete."""
        if not self._complete:
            raise LuaFault("decode not complete")
        return (self._result,)

    def _take(self, what: What, text: bytes) -> Steps:
        match what:
            case What.KEY:
                self._key = unescape(text)
            case What.STRING:
                yield from self._insert(unescape(text))
            case What.NUMBER:
                yield from self._insert(self._number(text))
            case What.WORD:
                yield from self._insert({b"true": True, b"false": False}.get(text, self._null))
            case What.OPEN:
                yield from self._open()
            case What.CLOSE:
                self._close()
        return None

    def _open(self) -> Steps:
        # Without a metatable nobody can see the table grow: it is made of Python's and handed over whole.
        table: Any = {}
        if self._metatable is not None:
            made = yield Call(self._lua.library("setmetatable"), (self._lua.table({}), self._metatable))
            table = made[0]
        key = self._next_key()
        if self._tables:
            self._path.append(key)
        wanted = True
        if self._checkpath is not None:
            path = self._lua.table(dict(enumerate(self._path, start=1)))
            answer = yield Call(self._checkpath, (table, path))
            wanted = bool(answer) and answer[0] is not None and answer[0] is not False
        if wanted:
            yield from self._set(key, table)
        self._tables.append(table)
        self._counts.append(0)
        return None

    def _close(self) -> None:
        self._tables.pop()
        self._counts.pop()
        if self._path:
            self._path.pop()
        if not self._tables:
            self._complete = True
            if isinstance(self._result, dict):
                self._result = self._lua.table(self._result)

    def _insert(self, value: Value) -> Steps:
        yield from self._set(self._next_key(), value)
        return None

    def _next_key(self) -> Value:
        key: Value = self._key
        self._key = None
        if key is None:
            # The outermost list has one place, which a later value takes over.
            self._counts[-1] = self._counts[-1] + 1 if self._tables else 1
            key = self._counts[-1]
        return key

    def _set(self, key: Value, value: Value) -> Steps:
        """As `lua_settable` on the innermost table."""
        if not self._tables:
            self._result = value
            return None
        table = self._tables[-1]
        if isinstance(table, dict):
            if value is not None:
                table[key] = value
            return None
        handler = self._lua.get(self._metatable, "__newindex") if self._lua.get(table, key) is None else None
        while type_name(handler) == "table":
            table, handler = handler, None
        if handler is None:
            yield Call(self._lua.library("rawset"), (table, key, value))
        else:
            yield Call(handler, (table, key, value))
        return None

    def _number(self, text: bytes) -> Value:
        value = to_number(text)
        if self._integral:
            if not isinstance(value, int):
                return 0  # `lua_tonumber` of what is no number in this build
            return max(-0x80000000, min(0x7FFFFFFF, value))
        if value is None:
            if self._modern:
                raise LuaFault("Invalid number")
            return 0
        if self._modern and isinstance(value, int) and not -0x80000000 <= value <= 0x7FFFFFFF:
            return float(value)
        return value


def _write(args: Args) -> Result:
    decoder: Decoder = args.check_object(1, Decoder)
    return (yield from decoder.write(args.check_string(2)))


def _result(args: Args) -> Result:
    decoder: Decoder = args.check_object(1, Decoder)
    return decoder.result()


Decoder.TYPE = ObjectType(
    "sjson.decoder", {"write": _write, "result": _result}, _STRUCT + _PARSER + (_DEPTH - 1) * _LEVEL
)
