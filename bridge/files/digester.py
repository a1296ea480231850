"""Has the board compute digests of its files, some kilobytes at a time."""

from __future__ import annotations

import asyncio
import contextlib

from bridge.errors import BridgeError, FileError
from bridge.files import digest as digests
from bridge.files.names import shown
from bridge.mirror.handle import Remote
from bridge.mirror.lua import single
from bridge.mirror.modules.file import SEARCH_TIMEOUT
from bridge.mirror.table import HandleTable

#: Calls under way at once: the board computes while the answer to one and the next are on the line.
_IN_FLIGHT = 2


class Digester:
    """A function on the board, made when it is first used; it takes heap until `let_go`."""

    def __init__(self) -> None:
        self._made: tuple[HandleTable, str, Remote] | None = None

    async def digest(self, table: HandleTable, name: bytes, size: int) -> tuple[str, bytes]:
        """(kind, digest) of a file of the board.

        Args:
            table: of the present boot.
            name: of the file.
            size: its bytes.

        Raises:
            FileError: the board does not open it, or it has another size.
        """
        kind, function = await self._function(table)
        calls: list[asyncio.Task[object]] = []
        try:
            for step in range(digests.steps(size)):
                if len(calls) == _IN_FLIGHT:
                    await calls.pop(0)
                calls.append(table.loop.create_task(_call(function, *(() if step else (name,)))))
            *_, last = [await each for each in calls]
        finally:
            for each in calls:
                each.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        if not isinstance(last, bytes):
            what = name.decode("utf-8", "surrogateescape")
            raise FileError(
                f"The board did not read {shown(what)} to its end",
                port=table.caller.url,
                remedy="Does a program there write it, or has it four files open?",
            )
        return kind, last

    async def holds(self, table: HandleTable, name: bytes, data: bytes) -> bool:
        """True if a file, which has their size, has these contents."""
        kind, found = await self.digest(table, name, len(data))
        return found == digests.digest(kind, data)

    async def let_go(self) -> None:
        """Free what the function takes on the board."""
        made, self._made = self._made, None
        if made is not None:
            with contextlib.suppress(BridgeError):
                await made[2].release()

    async def _function(self, table: HandleTable) -> tuple[str, Remote]:
        if self._made is None or self._made[0] is not table:
            kind = bytes(single(await table.run_lua(digests.KIND))).decode("ascii", "replace")
            (function,) = await table.run_lua(digests.source(kind))
            assert isinstance(function, Remote)
            self._made = (table, kind, function)
        return self._made[1:]


async def _call(function: Remote, *values: bytes) -> object:
    function.check()
    source = "local f = ... return f(select(2, ...))"
    return single(await function.table.run_lua(source, function, *values, timeout=SEARCH_TIMEOUT))
