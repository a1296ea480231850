"""`board.file`: the module `file` (app/modules/file.c, release 3.0.0).

Files are objects (`open`). The stock module's functions that work on the file opened last (`file.read`, `file.write`,
`file.close`, …) are left to `board.lua`: two programs on one board would read each other's files.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar, TypedDict, cast

from bridge.errors import LuaError
from bridge.mirror.lua import TableSource
from bridge.mirror.modules.face import Face
from bridge.mirror.modules.file_object import FileObject
from bridge.mirror.modules.text import Data, text_table, to_contents, to_name
from bridge.wire.values import Handle

#: Seconds for what looks through the whole file system.
SEARCH_TIMEOUT = 60.0
#: Seconds to erase the largest flash chip, twice what the data sheets say for each of its sectors.
FORMAT_TIMEOUT = 400.0


class Time(TypedDict):
    """When a file was changed; SPIFFS keeps no times, and says 1970."""

    year: int
    mon: int
    day: int
    hour: int
    min: int
    sec: int


class Stat(TypedDict):
    """What `file.stat` says of a file."""

    size: int
    """Bytes."""
    name: str
    is_dir: bool
    is_rdonly: bool
    is_hidden: bool
    is_sys: bool
    is_arch: bool
    time: Time


class File(Face):
    """Files on the board's flash. Names are at most 31 bytes long; "/" in them means nothing, but for "/FLASH/".

    Wrong names raise LuaError: "filename invalid".

    Args:
        tables: where the table of the present boot comes from.
        at_prompt: runs a line at the prompt without the agent.
    """

    MODULE: ClassVar[str] = "file"

    def __init__(self, tables: TableSource, at_prompt: Callable[[str, float], Awaitable[bytes]]) -> None:
        super().__init__(tables)
        self._at_prompt = at_prompt

    async def open(self, filename: str, mode: str = "r") -> FileObject | None:
        """Open a file.

        Args:
            filename: its name.
            mode: "r" read; "w" write, "a" append; "r+" both, keeping what is there, "w+" both, erasing it; "a+" both,
                writing at the end.

        Returns:
            The file, or None: there is none of that name (reading), or four are open already, or the flash is full.
        """
        table = await self._tables()
        values = await table.caller.call("file.open", to_name(filename), mode, timeout=SEARCH_TIMEOUT)
        found = values[0] if values else None
        return FileObject(table, found) if isinstance(found, Handle) else None

    async def list(self, pattern: str | None = None) -> dict[str, int]:
        """Names of the files and their sizes in bytes.

        Args:
            pattern: only names that match this pattern of Lua, as in "%.lua$".

        Raises:
            LuaError: what Lua says of a wrong pattern.
        """
        return text_table(await self._one("list", to_name(pattern), timeout=SEARCH_TIMEOUT))

    async def exists(self, filename: str) -> bool:
        """True if there is a file of that name."""
        return bool(await self._one("exists", to_name(filename), timeout=SEARCH_TIMEOUT))

    async def remove(self, filename: str) -> None:
        """Remove a file, which must not be open; also if there is none of that name."""
        await self._call("remove", to_name(filename), timeout=SEARCH_TIMEOUT)

    async def rename(self, oldname: str, newname: str) -> bool:
        """Rename a file. False if that could not be: none of the old name, or one of the new name."""
        return bool(await self._one("rename", to_name(oldname), to_name(newname), timeout=SEARCH_TIMEOUT))

    async def stat(self, filename: str) -> Stat | None:
        """What is known of a file, or None if there is none of that name."""
        found = await self._one("stat", to_name(filename), timeout=SEARCH_TIMEOUT)
        return cast(Stat, text_table(found)) if found is not None else None

    async def getcontents(self, filename: str) -> bytes | None:
        """All of a file, of any size: it comes in pieces, where stock reads it at once and runs out of heap.

        Returns:
            The contents. None if there is no such file, and, as in stock, for an empty one (`exists` tells).
        """
        found = await self.open(filename, "r")
        if found is None:
            return None
        async with found:
            return await found.read_all() or None

    async def putcontents(self, filename: str, contents: Data) -> bool | None:
        """Make a file, or make it anew, with these contents of any size.

        Args:
            filename: its name.
            contents: bytes, or str as UTF-8.

        Returns:
            True; None if the file could not be made or the flash is full.
        """
        data = to_contents(contents)  # before the file that is there is gone
        made = await self.open(filename, "w+")
        if made is None:
            return None
        async with made:
            return await made.write(data)

    async def fsinfo(self) -> tuple[int, int, int]:
        """(remaining, used, total) bytes of the file system."""
        remaining, used, total = await self._call("fsinfo", timeout=SEARCH_TIMEOUT)
        return remaining, used, total

    async def fscfg(self) -> tuple[int, int]:
        """(address in the flash, size in bytes) of the file system."""
        address, size = await self._call("fscfg")
        return address, size

    async def format(self) -> None:
        """Erase all files; it takes up to a minute and more. Every handle fails, as when the board restarts.

        The board does nothing else meanwhile, for longer than a link waits. So the agent leaves the board, the line is
        typed at the prompt, and the agent comes back; what is called meanwhile waits.

        Raises:
            LuaError: "Failed to format file system".
            ReplError: the prompt did not come back in time.
        """
        said = await self._at_prompt("file.format()", FORMAT_TIMEOUT)
        if b"format done." not in said:
            raise LuaError(said.decode("utf-8", "replace").strip())
        await self._tables()
