"""`board.lua`: every function of every module that the firmware has, without a typed face.

await board.lua.gpio.write(4, 1)
timer = await board.lua.tmr.create()
await timer.alarm(1000, 1, lambda timer: print("tick"))
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bridge.errors import LuaError, UsageError
from bridge.link import CALL_TIMEOUT
from bridge.link.shapes import is_path
from bridge.mirror.handle import Remote
from bridge.mirror.table import HandleTable, Unread
from bridge.wire.values import Value

#: Where the table of the present boot comes from; waits while the board restarts.
TableSource = Callable[[], Awaitable[HandleTable]]


def single(values: tuple[Value, ...]) -> Value:
    """What Lua returned, as Python has it: nothing is None, one value is itself, several are a tuple."""
    return None if not values else values[0] if len(values) == 1 else values


def no_assignment(target: str) -> UsageError:
    """The error of `board.lua.x = 5`: Python has no assignment that waits for the board."""
    return UsageError(
        f"{target} cannot be set by an assignment in Python, which waits for no board",
        remedy=f'Use board.exec("{target} = ...", value).',
    )


def no_field(thing: object, name: str) -> UsageError:
    """The error of an assignment to a field of an object of the board."""
    return UsageError(
        f"{thing!r} gets no field {name!r} by an assignment in Python, which waits for no board",
        remedy=f'Use board.exec("local object, value = ... object.{name} = value", object, value).',
    )


def member(path: str, name: object) -> str:
    """The path of a name below another one, as `board.lua[name]` has it.

    Raises:
        UsageError: no Lua program could write this name.
    """
    if not isinstance(name, str) or "." in name or not is_path(name):
        raise UsageError(
            f"{name!r} is no name in Lua", remedy='Use letters, digits and underscores, or board.eval("table[key]").'
        )
    return f"{path}.{name}" if path else name


class LuaName(Unread):
    """A global name of the board and what is below it; call it to call the function of that name.

    What Lua calls `get` is `board.lua.rtctime["get"]`, since `.get` reads a value; so is a name with `__` before it.

    Arguments are None, bool, int, float, bytes, str (sent as UTF-8), lists and dicts, handles, and Python functions
    (Lua gets a function that calls them; `bridge.mirror.callback` says when it waits for their results). Strings come
    back as bytes, several results as a tuple, board objects as handles.
    """

    def __init__(self, tables: TableSource, path: str = "") -> None:
        self._tables = tables
        self._path = path

    def __getattr__(self, name: str) -> LuaName:
        if name.startswith("__"):
            raise AttributeError(name)
        return LuaName(self._tables, f"{self._path}.{name}" if self._path else name)

    def __getitem__(self, name: str) -> LuaName:
        """As an attribute of that name, also of one that Python has for itself."""
        return LuaName(self._tables, member(self._path, name))

    def __setattr__(self, name: str, value: object) -> None:
        if name not in ("_tables", "_path"):
            raise no_assignment(f"{self._path}.{name}" if self._path else name)
        super().__setattr__(name, value)

    def __setitem__(self, name: str, value: object) -> None:
        raise no_assignment(member(self._path, name))

    def __delattr__(self, name: str) -> None:
        raise no_assignment(f"{self._path}.{name}" if self._path else name)

    def __repr__(self) -> str:
        return f"<lua {self._path or 'globals'}>"

    async def __call__(self, *values: Value, timeout: float | None = CALL_TIMEOUT) -> Value:
        """Call the function of this name on the board.

        Args:
            values: its arguments.
            timeout: seconds to wait for its end, or None to wait as long as the link lives.

        Raises:
            LuaError: there is no such function, or it raised.
            BoardOutOfMemory, LinkTimeout, BoardReset, PortLost: see `bridge.link.Caller.call`.
        """
        if not self._path:
            raise LuaError("board.lua is no function; write board.lua.module.function(…)")
        table = await self._tables()
        return single(await table.call(self._path, *values, timeout=timeout))

    async def get(self) -> Value:
        """The value of this name (`await board.lua.net.TCP.get()`); tables come whole.

        Raises:
            UsageError: no Lua program could write this name.
        """
        if self._path and not is_path(self._path):
            raise UsageError(f"{self._path!r} is no name in Lua", remedy="Use letters, digits and underscores.")
        table = await self._tables()
        return single(await table.run_lua(f"return {self._path or '_G'}"))


class LuaObject(Remote):
    """An object of the board of no particular kind (a timer, a file, a function): its methods by name.

    `object["name"]` is Lua's method also where Python has something of that name (`state`, `release`, `call`, `check`,
    `number`, …) or it begins with an underscore. Such an object has no events of its own: `on` is Lua's.
    """

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Value]]:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._method(name)

    def __getitem__(self, name: str) -> Callable[..., Awaitable[Value]]:
        """Lua's method of that name.

        Raises:
            UsageError: no Lua program could write this name.
        """
        return self._method(member("", name))

    def _method(self, name: str) -> Callable[..., Awaitable[Value]]:
        async def method(*values: Value, timeout: float | None = CALL_TIMEOUT) -> Value:
            return single(await self.call(f":{name}", *values, timeout=timeout))

        method.__name__ = name
        return method

    async def on(self, *values: Value, timeout: float | None = CALL_TIMEOUT) -> Value:  # type: ignore[override]
        """Lua's method `on`, as of an MQTT client: `await client.on("message", function)`."""
        return await self._method("on")(*values, timeout=timeout)

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_") and name not in ("table", "handle"):
            raise no_field(self, name)
        super().__setattr__(name, value)

    async def __call__(self, *values: Value, timeout: float | None = CALL_TIMEOUT) -> Value:
        """Call it, if it is a function."""
        self.check()
        return single(
            await self.table.run_lua("local f = ... return f(select(2, ...))", self, *values, timeout=timeout)
        )
