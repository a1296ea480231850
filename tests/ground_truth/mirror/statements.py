"""Runs statements of a recording, which are Lua, as calls of the mirror.

`sk:connect(7001, "10.77.0.1")` becomes `await sk.connect(7001, "10.77.0.1")`, a Lua function given as a handler
becomes a coroutine function, and what `print` is given is kept. So a recording itself says what is called: nothing of
it is written down a second time. The language around the calls is Lua; the calls, their arguments, results, events and
errors are those that a Python program has.
"""

from __future__ import annotations

import gc
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lupa.lua51

from bridge.board import Board
from bridge.errors import BridgeError, LuaError
from bridge.mirror.handle import Remote
from bridge.mirror.lua import LuaName

GLUE = Path(__file__).with_name("statements.lua")
#: Modules of the board that recorded statements call besides `net`.
MODULES = ("tmr",)


class StatementError(Exception):
    """A statement, or a handler written in it, raised."""


def error_text(error: Exception) -> str:
    """What is compared of an exception: the board's own text, or ours, or Python's."""
    if isinstance(error, LuaError):
        return error.text
    return error.message if isinstance(error, BridgeError) else f"{type(error).__name__}: {error}"


def _gives_nothing(function: Callable[..., Any]) -> bool:
    """True if it returns None because there is nothing to return, and not because the board's value is nil."""
    try:
        return inspect.signature(function).return_annotation in (None, "None")
    except ValueError:
        return False


class _Node:
    """`node`, where a statement means something else than to call it on the board."""

    def __init__(self, statements: Statements) -> None:
        self._board = statements.board
        self.heap = self._board.lua.node.heap
        self.task = self._board.lua.node.task

    def setonerror(self, handler: Callable[..., Any]) -> None:
        """Errors in handlers are the host's: the mirror's place for them is the board's "error" handler."""
        self._board.on("error", lambda error, where: handler(str(error)))

    async def restart(self) -> None:
        await self._board.reset()


class Statements:
    """A Lua state on the host in which the recorded statements run.

    Args:
        board: what they act on.
        out: called with each line that they print.
    """

    def __init__(self, board: Board, out: Callable[[str], None]) -> None:
        self.board = board
        self._lua = lupa.lua51.LuaRuntime(encoding=None, unpack_returned_tuples=True)
        self._out = out
        self._classes: dict[str, type] = {}
        glue = self._lua.execute(b"return loadstring(...)", GLUE.read_bytes())
        self._proxy, self._begin, self._object_of = glue(
            lambda line: out(line.decode("latin-1")), self._look, self._show, self._len, self._set, gc.collect
        )
        names = self._lua.globals()
        names[b"net"] = self._to_lua(board.net)
        names[b"node"] = self._to_lua(_Node(self))
        for module in MODULES:
            names[module.encode()] = self._to_lua(getattr(board.lua, module))

    async def run(self, statement: str) -> None:
        """Run a statement as the prompt does: after "=" its values are printed, and so is an error."""
        source = re.sub(r"\A=", "return ", statement)
        chunk = self._lua.execute(b"return loadstring(..., '=stdin')", source.encode("latin-1"))
        if not lupa.lua51.lua_type(chunk):
            raise AssertionError(f"{statement!r} does not compile: {chunk}")
        try:
            values = await self._run(chunk)
        except StatementError as error:
            self._out(f"error: {error}")
            return
        if source != statement and values:
            self._lua.globals()[b"print"](*values)

    async def _run(self, function: Any, *arguments: Any) -> tuple[Any, ...]:
        """Run a Lua function, awaiting what it calls; gives its results, as Lua has them."""
        thread = self._begin(function)
        answer: tuple[Any, ...] = arguments
        while True:
            went = thread(*answer)
            what, *values = went if isinstance(went, tuple) else (went,)
            if what == b"error":
                raise StatementError(values[0].decode("latin-1"))
            if what == b"done":
                return tuple(values)
            try:
                answer = (True, *await self._call(*values))
            except Exception as error:
                answer = (False, error_text(error).encode("latin-1", "replace"))

    async def _call(self, kind: bytes, target: Any, *values: Any) -> tuple[Any, ...]:
        if kind == b"method":
            name, *values = values  # type: ignore[assignment]
            function = getattr(self._classes[target.decode()], name.decode())
        else:
            function = target
        result = function(*(self._from_lua(value) for value in values))
        if inspect.isawaitable(result):
            result = await result
        if result is None and _gives_nothing(function):
            return ()
        results = result if isinstance(result, tuple) else (result,)
        return tuple(self._to_lua(value) for value in results)

    def _from_lua(self, value: Any) -> Any:
        """A value of Lua as a Python program would write it."""
        kind = lupa.lua51.lua_type(value)
        if isinstance(value, bytes):
            return value.decode() if value.isascii() else value
        if kind == "userdata":
            return self._object_of(value)
        if kind == "function":

            async def handler(*values: Any) -> None:
                await self._run(value, *(self._to_lua(each) for each in values))

            return handler
        if kind == "table":
            return {self._from_lua(key): self._from_lua(item) for key, item in value.items()}
        return value

    def _to_lua(self, value: Any) -> Any:
        if isinstance(value, str):
            return value.encode()
        if isinstance(value, dict):
            return self._lua.table_from({self._to_lua(key): self._to_lua(item) for key, item in value.items()})
        if value is None or isinstance(value, bytes | int | float):
            return value
        self._classes[type(value).__name__] = type(value)
        return self._proxy(id(value), lupa.lua51.as_attrgetter(value), type(value).__name__.encode())

    def _look(self, target: Any, key: bytes) -> tuple[bytes, Any]:
        name = key.decode()
        if name == "__class__":
            return type(target).__name__.encode(), None
        try:
            value = getattr(target, name)
        except AttributeError as error:
            return b"error", error_text(error).encode()
        if isinstance(value, LuaName):
            return b"value", self._to_lua(value)
        if isinstance(target, Remote) and callable(value):
            return b"method", type(target).__name__.encode()
        return (b"function", value) if callable(value) else (b"value", self._to_lua(value))

    def _show(self, target: Any) -> bytes:
        return repr(target).encode()

    def _len(self, target: Any) -> tuple[bytes, Any]:
        try:
            return b"value", len(target)
        except TypeError as error:
            return b"error", error_text(error).encode()

    def _set(self, target: Any, key: bytes, value: Any) -> None:
        setattr(target, key.decode(), value)
