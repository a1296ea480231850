"""A file of the board's flash that is open: `file.obj` (app/modules/file.c, release 3.0.0)."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from bridge.mirror.handle import Remote, State
from bridge.mirror.lua import single
from bridge.mirror.modules.face import given
from bridge.mirror.modules.file_pieces import CHUNK, CHUNK_TIMEOUT, read_pieces, write_pieces
from bridge.mirror.modules.text import Data, to_contents
from bridge.mirror.table import HandleTable
from bridge.wire.values import Handle


class FileObject(Remote):
    """`file.obj`. Close it, or use `async with`: what was written is safe only then, and four files can be open.

    Reads and writes of any length go in pieces (`bridge.mirror.modules.file_pieces`); those of several tasks come one
    after the other, each whole.
    """

    def __init__(self, table: HandleTable, handle: Handle) -> None:
        super().__init__(table, handle)
        self._order = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def read(self, n_or_char: int | str | bytes | None = None) -> bytes | None:
        """Read on.

        Args:
            n_or_char: how many bytes at most, any number; or one character, through which is read, at most 1 024
                bytes; None is 1 024 bytes.

        Returns:
            The bytes, fewer than asked for at the end of the file; None when there are no more.

        Raises:
            LuaError: "wrong arg range": more than one character.
        """
        async with self._order:
            if not isinstance(n_or_char, int) or n_or_char <= CHUNK:
                value = single(await self.call(":read", *given(n_or_char), timeout=CHUNK_TIMEOUT))
                return None if value is None else bytes(value)
            return await read_pieces(self, n_or_char)

    async def readline(self) -> bytes | None:
        """Read through the next line end, at most 1 024 bytes; None when there are no more."""
        async with self._order:
            value = single(await self.call(":readline", timeout=CHUNK_TIMEOUT))
        return None if value is None else bytes(value)

    async def write(self, string: Data) -> bool | None:
        """Write bytes, or str as UTF-8.

        Returns:
            True; None if the file system did not take all of it: it is full, or the file is open for reading. What
            is in the file then, stock does not say.
        """
        async with self._order:
            return await write_pieces(self, to_contents(string)) or None

    async def writeline(self, string: Data) -> bool | None:
        """Write and add a line end; as `write`."""
        async with self._order:
            return await write_pieces(self, to_contents(string) + b"\n") or None

    async def seek(self, whence: str | None = None, offset: int | None = None) -> int | None:
        """Go to a position.

        Args:
            whence: "set", "cur" (so if None) or "end": what `offset` counts from.
            offset: bytes; None is 0.

        Returns:
            The position, or None if there is no such.

        Raises:
            LuaError: "invalid option …" (whence).
        """
        async with self._order:
            position = single(await self.call(":seek", *given(whence, offset)))
        return None if position is None else int(position)

    async def flush(self) -> bool | None:
        """Bring to the flash what was written. Returns True, or None if that failed."""
        async with self._order:
            return True if single(await self.call(":flush", timeout=CHUNK_TIMEOUT)) else None

    async def close(self) -> None:
        """Close the file and let its object go. Doing it again does nothing."""
        async with self._order:
            if self._state is State.OPEN:
                await self.call(":close", timeout=CHUNK_TIMEOUT)
                await super().release()

    async def release(self) -> None:
        """As `close`: the file module keeps the last file that was opened, so that letting go closes nothing."""
        await self.close()

    async def read_all(self) -> bytes:
        """All that is left, also if that is nothing. (Stock has no such method; `file.getcontents` uses it.)"""
        async with self._order:
            return await read_pieces(self) or b""
