"""What all faces of modules have in common."""

from __future__ import annotations

from typing import ClassVar

from bridge.errors import UsageError
from bridge.link import CALL_TIMEOUT
from bridge.mirror.lua import TableSource, single
from bridge.wire.values import Value

#: Seconds that a function may keep the board's Lua busy: the link gives a board up that is silent for six.
BUSY_LIMIT = 5.0


class Face:
    """A module of the firmware with its functions as methods.

    Each call raises `LuaError` with the board's text when Lua raised or the firmware lacks the module, and
    `BoardOutOfMemory`, `LinkTimeout`, `BoardReset`, `PortLost` as `bridge.link.Caller.call` says.
    """

    #: Its name in Lua.
    MODULE: ClassVar[str]

    def __init__(self, tables: TableSource) -> None:
        self._tables = tables

    def __repr__(self) -> str:
        return f"<module {self.MODULE}>"

    async def _call(self, function: str, *values: Value, timeout: float | None = CALL_TIMEOUT) -> tuple[Value, ...]:
        """Call one of the module's functions; arguments at the end that are None are left out, as in Lua."""
        table = await self._tables()
        return await table.call(f"{self.MODULE}.{function}", *given(*values), timeout=timeout)

    async def _one(self, function: str, *values: Value, timeout: float | None = CALL_TIMEOUT) -> Value:
        """As `_call`; one result as itself, none as None."""
        return single(await self._call(function, *values, timeout=timeout))


def check_whole(value: object, what: str) -> None:
    """Refuse what Lua would make a whole number of, and another one than it seems: "0", 9.5, 2³² + 9.

    Raises:
        UsageError: it is no whole number, or has more than 31 bits.
    """
    if not isinstance(value, int) or not -(1 << 31) <= value < 1 << 31:
        raise UsageError(f"{what} is a whole number, and not {value!r}", remedy="Give an int.")


def check_busy(us: int | float, what: str) -> None:
    """Refuse what would keep the board busy for too long.

    Args:
        us: microseconds.
        what: the function.

    Raises:
        UsageError: it takes longer than `BUSY_LIMIT`.
    """
    if isinstance(us, int | float) and us * 1e-6 > BUSY_LIMIT:  # what is no number the board refuses
        raise UsageError(
            f"{what} would keep the board busy for {us * 1e-6:g} s, and the link gives it up after 6 s of silence",
            remedy=f"Stay below {BUSY_LIMIT:g} s.",
        )


def given(*values: Value) -> tuple[Value, ...]:
    """The arguments without those at the end that were left out: to many functions nil is not the same as nothing."""
    count = len(values)
    while count and values[count - 1] is None:
        count -= 1
    return values[:count]
