"""`board.files`: files on the board's flash that are replaced whole or not at all, and compared by digest.

`board.file` is the firmware's own module; this is what people want of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from bridge.errors import BridgeError, FileError, FileSystemFull, LinkError, LuaError, NoSuchFile, PortLost
from bridge.files import digest as digests
from bridge.files import host
from bridge.files.folder import Folder, Plan, check_room, read_folder
from bridge.files.names import check_name, scratch_for, shown
from bridge.files.space import Space, pages_of
from bridge.files.unfinished import find_unfinished, finish, place
from bridge.mirror.handle import Remote
from bridge.mirror.lua import TableSource, single
from bridge.mirror.modules.file import SEARCH_TIMEOUT, File
from bridge.mirror.modules.file_pieces import Progress, read_pieces, write_pieces
from bridge.mirror.modules.text import Data, to_contents, to_name
from bridge.mirror.table import HandleTable

_log = logging.getLogger("bridge.files")

#: Told of each file of several: its name, bytes that are there, bytes in all.
FileProgress = Callable[[str, int, int], None]

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


class Files:
    """Files on the board's flash.

    A file that is sent is compared by a digest that the board computes of its flash, and only then takes the old one's
    place. When the board loses its power meanwhile, the next call puts a complete file in its place and takes away the
    rest (`bridge.files.unfinished`). Names have 1 to 31 bytes; "/" in them has no meaning for the board. Calls of
    several tasks come one after the other.

    Each call raises `UsageError` for names that no file on the board can have, `FileError` when the board's file system
    does not do what is asked, and `BoardReset`, `LinkTimeout`, `LinkError` or `PortLost` when the link is over: then
    the same call, made again, does what is left.

    Args:
        tables: where the table of the present boot comes from.
        file: the firmware's module.
    """

    def __init__(self, tables: TableSource, file: File) -> None:
        self._tables = tables
        self._file = file
        self._order = asyncio.Lock()
        self._digester: tuple[HandleTable, str, Remote] | None = None
        self._finished: list[str] = []

    def __repr__(self) -> str:
        return "<files>"

    @property
    def finished(self) -> tuple[str, ...]:
        """Files whose upload was cut off and that calls here have put in their place, the first one first."""
        return tuple(self._finished)

    async def ls(self) -> dict[str, int]:
        """Names of the files, sorted, and their sizes in bytes."""
        async with self._command() as table:
            return await self._list(table)

    async def put(self, name: str, contents: Data, *, told: Progress | None = None) -> Written:
        """Make a file, or replace one.

        Args:
            name: of the file on the board.
            contents: bytes of any length, or str as UTF-8.
            told: called with the bytes that are in the file, and all of them.

        Raises:
            FileSystemFull: it does not fit beside the files that are there, the one that it replaces among them.
                Nothing was sent.
            FileError: the board has something else in its flash than what was sent; the old file is there.
        """
        raw, data = check_name(name), to_contents(contents)
        async with self._command() as table:
            space = await self._space()
            if pages_of(len(data)) > space.pages:
                raise FileSystemFull(
                    f"{shown(name)} has {len(data)} bytes, and the board's file system has room for {space.largest}",
                    port=table.caller.url,
                    remedy="Remove files with `fs rm`; an old one of this name counts until the new one is there.",
                )
            return await self._put(table, name, raw, data, told)

    async def get(self, name: str, *, told: Progress | None = None) -> bytes:
        """The contents of a file, compared by a digest that the board computes.

        Args:
            name: of the file.
            told: called with the bytes that have come, and all of them.

        Raises:
            NoSuchFile: there is none.
            FileError: what came is not what the board's digest says.
        """
        raw = check_name(name)
        async with self._command() as table:
            size = await self._size(table, name)
            opened = await self._file.open(name)
            if opened is None:
                raise _not_opened(name, table)
            async with opened:
                found = await read_pieces(opened, size, None if told is None else lambda have: told(have, size)) or b""
            if not await self._holds(table, raw, found):
                raise FileError(
                    f"{shown(name)} did not come as it is on the board",
                    port=table.caller.url,
                    remedy="Does a program there write it? Try again.",
                )
            return found

    async def rm(self, *names: str) -> None:
        """Remove files; none of them if one is not there.

        Raises:
            NoSuchFile: names those that are not there.
        """
        for name in names:
            check_name(name)
        async with self._command() as table:
            there = await self._list(table)
            _require(names, there, table)
            for name in dict.fromkeys(names):
                await self._remove(table, name)

    async def mv(self, old: str, new: str) -> None:
        """Give a file another name.

        Raises:
            NoSuchFile: there is no file of the old name.
            FileError: there is one of the new name, which the board's file system would not replace.
        """
        check_name(old), check_name(new)
        async with self._command() as table:
            there = await self._list(table)
            _require((old,), there, table)
            if new in there:
                raise FileError(
                    f"There is a file {shown(new)} on the board already",
                    port=table.caller.url,
                    remedy="Remove it first, or choose another name.",
                )
            if not await self._file.rename(old, new):
                raise FileError(f"The board did not rename {shown(old)} to {shown(new)}", port=table.caller.url)

    async def df(self) -> Space:
        """How much room there is."""
        async with self._command():
            return await self._space()

    async def digest(self, name: str) -> tuple[str, bytes]:
        """(kind, digest) of a file, which the board computes of its flash; see `bridge.files.digest`.

        Raises:
            NoSuchFile: there is none.
        """
        raw = check_name(name)
        async with self._command() as table:
            return await self._digest(table, raw, await self._size(table, name))

    async def holds(self, name: str, contents: Data) -> bool:
        """True if there is a file of that name with these contents: its size and its digest say so."""
        raw, data = check_name(name), to_contents(contents)
        async with self._command() as table:
            there = await self._list(table)
            return there.get(name) == len(data) and await self._holds(table, raw, data)

    async def put_file(self, path: str | Path, name: str | None = None, *, told: Progress | None = None) -> Written:
        """Send a file of this computer; see `put`.

        Args:
            path: the file.
            name: on the board; by default the file's own, without its folder.
            told: see `put`.

        Raises:
            UsageError: it cannot be read.
        """
        data = host.read_file(Path(path))
        return await self.put(Path(path).name if name is None else name, data, told=told)

    async def get_file(self, name: str, path: str | Path, *, told: Progress | None = None) -> int:
        """Fetch a file to this computer, where it replaces an old one at the end only; returns its size in bytes.

        Raises:
            UsageError: it cannot be written.
            NoSuchFile, FileError: see `get`.
        """
        host.check_writable(Path(path))
        data = await self.get(name, told=told)
        host.write_file(Path(path), data)
        return len(data)

    async def sync(
        self, folder: str | Path, *, delete: bool = False, dry_run: bool = False, told: FileProgress | None = None
    ) -> Plan:
        """Send what the board lacks of a folder of this computer, or has otherwise: sizes and digests say so.

        Args:
            folder: what is in folders within has names such as "www/index.html". What begins with a dot is left out.
            delete: also remove files that the folder lacks, before anything is sent.
            dry_run: only say what would be done.
            told: called while a file is sent.

        Returns:
            What was done, or is to be done.

        Raises:
            UsageError: the folder cannot be read, or has a name that no file on the board can have.
            FileSystemFull: at some step a file would not fit; nothing was changed.
        """
        wanted = read_folder(Path(folder))
        async with self._command() as table:
            there = await self._list(table)
            plan = await self._plan(table, wanted, there, delete=delete)
            check_room(plan, wanted, there, await self._space(), table.caller.url)
            if dry_run:
                return plan
            for name in plan.remove:
                await self._remove(table, name)
            for name in plan.send:
                show = None if told is None else _of_file(told, name)
                await self._put(table, name, to_name(name), wanted.files[name], show)
            return plan

    async def format(self) -> None:
        """Erase all files; see `File.format`."""
        async with self._order:
            self._digester = None
            await self._file.format()

    # Below: the steps of which calls are made.

    @contextlib.asynccontextmanager
    async def _command(self) -> AsyncIterator[HandleTable]:
        """One call at a time, on a board on which nothing is unfinished."""
        async with self._order:
            try:
                table = await self._tables()
                for left in find_unfinished(await self._file.list("^nodemcu%-bridge%.")):
                    name = await finish(self._file, table, left)
                    if name is not None:
                        _log.info("%s: the upload of %s was cut off, and is finished now", table.caller.url, name)
                        self._finished.append(name)
                yield table
            except (LinkError, PortLost) as error:
                # Others wait with the same exception: what is said here is for this call.
                again = copy.copy(error)
                again.remedy = "No file is half written: each is the old one or the new one. Run the same again."
                raise again from error
            finally:
                await self._let_digester_go()

    async def _put(self, table: HandleTable, name: str, raw: bytes, data: bytes, told: Progress | None) -> Written:
        loop = asyncio.get_running_loop()
        began = loop.time()
        scratch = scratch_for(raw)
        try:
            if single(await table.run_lua(_NOTE, scratch.name, raw, timeout=SEARCH_TIMEOUT)) is not True:
                raise _full(name, table)
            opening = loop.time()
            opened = await self._file.open(scratch.part, "w")
            if opened is None:
                raise _not_opened(name, table)
            async with opened:
                written = await write_pieces(opened, data, told)
            write_seconds = loop.time() - opening
            if not written:
                raise _full(name, table)
            kind, found = await self._digest(table, to_name(scratch.part), len(data))
            if found != digests.digest(kind, data):
                raise FileError(
                    f"The board's flash does not hold what was written of {shown(name)}",
                    port=table.caller.url,
                    remedy="The old file is there still. Try again; if it happens again the flash is worn out.",
                )
            if not await self._file.rename(scratch.part, scratch.done):
                raise FileError(f"The board did not rename {scratch.part} to {scratch.done}", port=table.caller.url)
        except (FileError, LuaError):
            await self._file.remove(scratch.part)
            await self._file.remove(scratch.name)
            raise
        await place(table, scratch, raw)
        return Written(name, len(data), kind, loop.time() - began, write_seconds)

    async def _plan(self, table: HandleTable, wanted: Folder, there: dict[str, int], *, delete: bool) -> Plan:
        plan = Plan(left_out=list(wanted.left_out))
        for name, data in sorted(wanted.files.items()):
            same = there.get(name) == len(data) and await self._holds(table, to_name(name), data)
            (plan.same if same else plan.send).append(name)
        others = [name for name in there if name not in wanted.files]
        (plan.remove if delete else plan.others).extend(others)
        return plan

    async def _list(self, table: HandleTable) -> dict[str, int]:
        found = await self._file.list()
        return dict(sorted(found.items()))

    async def _size(self, table: HandleTable, name: str) -> int:
        there = await self._list(table)
        _require((name,), there, table)
        return there[name]

    async def _space(self) -> Space:
        _, used, total = await self._file.fsinfo()
        return Space(total, used)

    async def _remove(self, table: HandleTable, name: str) -> None:
        await self._file.remove(name)
        if await self._file.exists(name):
            raise FileError(
                f"The board did not remove {shown(name)}",
                port=table.caller.url,
                remedy="Programs there have four files open, perhaps: restart the board.",
            )

    async def _holds(self, table: HandleTable, raw: bytes, data: bytes) -> bool:
        kind, found = await self._digest(table, raw, len(data))
        return found == digests.digest(kind, data)

    async def _digest(self, table: HandleTable, raw: bytes, size: int) -> tuple[str, bytes]:
        """The digest of a file whose size is known."""
        kind, function = await self._digester_of(table)
        calls = [function.table.loop.create_task(_call(function, raw))]
        try:
            for _ in range(1, digests.steps(size)):
                calls.append(function.table.loop.create_task(_call(function)))
                if len(calls) > 2:
                    await calls.pop(0)
            *_, last = [await each for each in calls]
        finally:
            for each in calls:
                each.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        if last is False:
            raise FileError("The board opens no file", port=table.caller.url, remedy="Restart it.")
        if not isinstance(last, bytes):
            raise FileError("A file changed while the board computed its digest", port=table.caller.url)
        return kind, last

    async def _digester_of(self, table: HandleTable) -> tuple[str, Remote]:
        if self._digester is None or self._digester[0] is not table:
            kind = bytes(single(await table.run_lua(digests.KIND))).decode("ascii", "replace")
            (function,) = await table.run_lua(digests.source(kind))
            assert isinstance(function, Remote)
            self._digester = (table, kind, function)
        return self._digester[1:]

    async def _let_digester_go(self) -> None:
        """The function on the board takes heap; calls that need it make it anew."""
        digester, self._digester = self._digester, None
        if digester is not None:
            with contextlib.suppress(BridgeError):
                await digester[2].release()


async def _call(function: Remote, *values: bytes) -> object:
    function.check()
    source = "local f = ... return f(select(2, ...))"
    return single(await function.table.run_lua(source, function, *values, timeout=SEARCH_TIMEOUT))


def _of_file(told: FileProgress, name: str) -> Progress:
    return lambda done, total: told(name, done, total)


def _require(names: tuple[str, ...], there: dict[str, int], table: HandleTable) -> None:
    absent = [shown(name) for name in names if name not in there]
    if absent:
        raise NoSuchFile(
            f"There is no file {' and no file '.join(absent)} on the board",
            port=table.caller.url,
            remedy="`fs ls` shows what there is.",
        )


def _full(name: str, table: HandleTable) -> FileSystemFull:
    return FileSystemFull(
        f"The board's file system is full, and {shown(name)} is as it was",
        port=table.caller.url,
        remedy="Remove files with `fs rm`.",
    )


def _not_opened(name: str, table: HandleTable) -> FileError:
    return FileError(
        f"The board's file system opens no file for {shown(name)}",
        port=table.caller.url,
        remedy="Programs there have four files open, or it is full: restart the board, or remove files.",
    )
