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


class LuaName(Unread):
    """A global name of the board and what is below it; call it to call the function of that name.

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
    """An object of the board of no particular kind (a timer, a file, a function): its methods by name."""

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Value]]:
        if name.startswith("_"):
            raise AttributeError(name)

        async def method(*values: Value, timeout: float | None = CALL_TIMEOUT) -> Value:
            return single(await self.call(f":{name}", *values, timeout=timeout))

        method.__name__ = name
        return method

    async def __call__(self, *values: Value, timeout: float | None = CALL_TIMEOUT) -> Value:
        """Call it, if it is a function."""
        self.check()
        return single(
            await self.table.run_lua("local f = ... return f(select(2, ...))", self, *values, timeout=timeout)
        )
