"""Sends one file: under a temporary name, compared, and then in its place; `bridge.files.unfinished` has the steps."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bridge.errors import FileError, FileSystemFull, LuaError
from bridge.files import digest as digests
from bridge.files.digester import Digester
from bridge.files.names import Scratch, scratch_for, shown
from bridge.files.unfinished import place
from bridge.mirror.lua import single
from bridge.mirror.modules.file import SEARCH_TIMEOUT, File
from bridge.mirror.modules.file_pieces import Progress, write_pieces
from bridge.mirror.modules.text import to_name
from bridge.mirror.table import HandleTable

#: Makes the small file that holds a name; false if there is no room.
_NOTE = """
local note, name = ...
local opened = file.open(note, "w")
if not opened then return false end
local written = opened:write(name)
opened:close()
return written or false
"""


@dataclass(frozen=True)
class Written:
    """An upload that is done.

    Args:
        name: of the file on the board.
        size: in bytes.
        digest: kind of the digest by which it was compared: "sha256", "crc16" or "sum".
        seconds: for all of it.
        write_seconds: of them, from the opening of the file on the board to its closing.
    """

    name: str
    size: int
    digest: str
    seconds: float
    write_seconds: float


async def upload(
    file: File, table: HandleTable, digester: Digester, name: str, data: bytes, told: Progress | None = None
) -> Written:
    """Make a file, or replace one, on a board on which nothing is unfinished.

    Args:
        file: the firmware's module.
        table: of the present boot.
        digester: compares it.
        name: of the file, checked.
        data: its contents, which have room.
        told: called with the bytes that are in the file, and all of them.

    Raises:
        FileSystemFull: there was no room after all.
        FileError: the flash holds something else than what was sent. The old file is there in both cases.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    raw = to_name(name)
    scratch = scratch_for(raw)
    try:
        if single(await table.run_lua(_NOTE, scratch.name, raw, timeout=SEARCH_TIMEOUT)) is not True:
            raise _full(name, table)
        write_seconds = await _write(file, table, scratch, name, data, told)
        kind, found = await digester.digest(table, to_name(scratch.part), len(data))
        if found != digests.digest(kind, data):
            raise FileError(
                f"The board's flash does not hold what was written of {shown(name)}",
                port=table.caller.url,
                remedy="The old file is there still. Try again; if it happens again the flash is worn out.",
            )
        if not await file.rename(scratch.part, scratch.done):
            # Left over without the file that would tell whose it is; what is here now takes its place.
            await file.remove(scratch.done)
            if not await file.rename(scratch.part, scratch.done):
                raise FileError(f"The board did not rename {scratch.part} to {scratch.done}", port=table.caller.url)
    except (FileError, LuaError):
        await file.remove(scratch.part)
        await file.remove(scratch.name)
        raise
    await place(table, scratch, raw)
    return Written(name, len(data), kind, loop.time() - began, write_seconds)


async def _write(
    file: File, table: HandleTable, scratch: Scratch, name: str, data: bytes, told: Progress | None
) -> float:
    loop = asyncio.get_running_loop()
    opening = loop.time()
    opened = await file.open(scratch.part, "w")
    if opened is None:
        raise not_opened(name, table)
    async with opened:
        # Less than a page waits in the board's RAM, and is lost where it does not fit.
        written = await write_pieces(opened, data, told) and await opened.flush()
    if not written:
        raise _full(name, table)
    return loop.time() - opening


def _full(name: str, table: HandleTable) -> FileSystemFull:
    return FileSystemFull(
        f"The board's file system is full, and {shown(name)} is as it was",
        port=table.caller.url,
        remedy="Remove files with `fs rm`.",
    )


def not_opened(name: str, table: HandleTable) -> FileError:
    """What to say when the board opens no file."""
    return FileError(
        f"The board's file system opens no file for {shown(name)}",
        port=table.caller.url,
        remedy="Programs there have four files open, or it is full: restart the board, or remove files.",
    )
