"""Chunks of Lua on their way to a board: in pieces with their call, or, when they are long, through a file there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bridge.errors import BridgeError, LuaError
from bridge.link.shapes import STORED
from bridge.link.sources import chunk_name, source_messages
from bridge.wire.messages import MAX_CHUNK
from bridge.wire.values import Value

if TYPE_CHECKING:
    from bridge.link.pump import Link

#: Source of more bytes waits in a file until it is compiled: in the heap it would leave too little for the compiler.
STORED_FROM = 4000
#: Seconds that compiling may take, or the flash for one piece.
_COMPILING = 60.0
_NO_ROOM = "no room in the file system"


class Chunks:
    """Runs chunks of any length.

    Args:
        link: the link.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        #: Held from the first piece of a long chunk until the call that runs it is on its way.
        self._lock = asyncio.Lock()

    async def run(
        self, source: bytes, values: tuple[Value, ...], timeout: float | None, name: str
    ) -> tuple[Value, ...]:
        """See `Caller.run_lua`."""
        link = self._link
        if len(source) > STORED_FROM and "file" in link.facts.modules:
            found = await self._run_stored(source, values, timeout, name)
            if found is not None:
                return found
        pieces = source_messages(source, name)
        async with link.limit(timeout, "a chunk of Lua"):
            return await link.finish(await link.begin("", values, pieces))

    async def _run_stored(
        self, source: bytes, values: tuple[Value, ...], timeout: float | None, name: str
    ) -> tuple[Value, ...] | None:
        """Run a chunk that is too long for the heap; None if the board's file system has no room for it."""
        link = self._link
        link.message_for("", 0, values)  # what does not fit the wire is refused before anything is sent
        async with self._lock:
            try:
                if not await self._compile(source, name):
                    return None
                async with link.limit(timeout, "a chunk of Lua"):
                    call = await link.begin(STORED, values)
            except BaseException:
                self._drop()
                raise
        async with link.limit(timeout, "a chunk of Lua"):
            return await link.finish(call)

    async def _compile(self, source: bytes, name: str) -> bool:
        """Bring a chunk to the board and compile it there. False when the file system has no room."""
        for at in range(0, len(source), MAX_CHUNK):
            try:
                await self._link.call("@store.write", source[at : at + MAX_CHUNK], timeout=_COMPILING)
            except LuaError as error:
                if error.text != _NO_ROOM:
                    raise
                return False
        await self._link.call("@store.load", chunk_name(name), timeout=_COMPILING)
        return True

    def _drop(self) -> None:
        """Nobody will run it: the board forgets it."""
        try:
            self._link.post("@store.drop")
        except BridgeError:
            pass  # the link is over, and so is the boot that had it
