"""Uploads that something has cut off: the next command puts what is complete in its place, and takes away the rest.

An upload of `init.lua` makes these files, whose names begin with "nodemcu-bridge." and a checksum of that name:

1. `….name`, which holds the name;
2. `….part`, the new contents as they come; they are compared, and then it is renamed to `….done`;
3. then the old `init.lua` is removed, as SPIFFS renames onto no file, `….done` becomes `init.lua`, `….name` is removed.

Wherever the board loses its power, the old file is there whole, or the new one, or the new one as `….done`. A file
that is there stays, whatever lies beside it: it may be the old one, or what somebody else has written since.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bridge.errors import FileError
from bridge.files.names import Scratch, scratch_for, scratch_tag, shown
from bridge.mirror.modules.file import SEARCH_TIMEOUT, File
from bridge.mirror.modules.text import to_name
from bridge.mirror.table import HandleTable

#: Step 3, of the names of the complete file, of the file, and of the file that holds the name.
_PLACE = """
local done, name, note = ...
file.remove(name)
local placed = file.rename(done, name)
if placed then file.remove(note) end
return placed
"""


@dataclass(frozen=True)
class Unfinished:
    """An upload that was cut off.

    Args:
        scratch: what it is called.
        endings: which of its files there are: "part", "done", "name".
    """

    scratch: Scratch
    endings: frozenset[str]


def find_unfinished(names: Iterable[str]) -> list[Unfinished]:
    """The uploads that have left something among the files of a board, sorted."""
    found: dict[str, set[str]] = {}
    for name in names:
        tag = scratch_tag(to_name(name))
        if tag is not None:
            found.setdefault(tag, set()).add(name.rpartition(".")[2])
    return [Unfinished(Scratch(tag), frozenset(endings)) for tag, endings in sorted(found.items())]


async def finish(file: File, table: HandleTable, left: Unfinished) -> str | None:
    """Put a complete file in its place, or take away what is not complete.

    Returns:
        The name of the file that has got its new contents; None if there were none, or there is a file of its name, or
        if nothing tells for which file they are: then they are left as they are.

    Raises:
        FileError: the file system does not let it be done.
    """
    scratch = left.scratch
    if "part" in left.endings:
        await file.remove(scratch.part)
    if "done" in left.endings:
        name = await file.getcontents(scratch.name) if "name" in left.endings else None
        if name is None or scratch_for(name) != scratch:
            return None
        if await file.exists(text := name.decode("utf-8", "surrogateescape")):
            await file.remove(scratch.done)
            await file.remove(scratch.name)
            return None
        await place(table, scratch, name)
        return text
    if "name" in left.endings:
        await file.remove(scratch.name)
    return None


async def place(table: HandleTable, scratch: Scratch, name: bytes) -> None:
    """Give a complete file its name (step 3).

    Raises:
        FileError: the board did not rename it; it is complete under its temporary name.
    """
    placed = await table.run_lua(_PLACE, scratch.done, name, scratch.name, timeout=SEARCH_TIMEOUT)
    if placed != (True,):
        text = shown(name.decode("utf-8", "surrogateescape"))
        raise FileError(
            f"The board did not rename {scratch.done} to {text}",
            port=table.caller.url,
            remedy=f"Does a program there have {text} open? Run the same command again.",
        )
