"""`board.files`: files on the board's flash that are replaced whole or not at all, and compared by digest.

`board.file` is the firmware's own module; this is what people want of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from pathlib import Path

from bridge.errors import FileError, LinkError, NoSuchFile, PortLost
from bridge.files import host
from bridge.files.digester import Digester
from bridge.files.folder import Folder, Plan, check_room, read_folder
from bridge.files.names import check_name, shown
from bridge.files.space import Space
from bridge.files.unfinished import find_unfinished, finish
from bridge.files.upload import Written, not_opened, upload
from bridge.mirror.lua import TableSource
from bridge.mirror.modules.file import File
from bridge.mirror.modules.file_pieces import Progress, read_pieces
from bridge.mirror.modules.text import Data, to_contents, to_name
from bridge.mirror.table import HandleTable

_log = logging.getLogger("bridge.files")

#: Told of each file of several: its name, bytes that are there, bytes in all.
FileProgress = Callable[[str, int, int], None]


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
        modules: says which modules the firmware has.
    """

    def __init__(self, tables: TableSource, file: File, modules: Callable[[], Collection[str]]) -> None:
        self._tables = tables
        self._file = file
        self._modules = modules
        self._order = asyncio.Lock()
        self._digester = Digester()
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
        check_name(name)
        data = to_contents(contents)
        async with self._command() as table:
            check_room(Plan(send=[name]), {name: data}, {}, await self._space(), table.caller.url)
            return await upload(self._file, table, self._digester, name, data, told)

    async def check_room(self, files: Mapping[str, bytes]) -> None:
        """Refuse, before the first one is sent, files that would not all fit, put in this order.

        Args:
            files: name on the board → contents.

        Raises:
            FileSystemFull: at some step a file would not fit beside those that are there and those before it.
        """
        for name in files:
            check_name(name)
        async with self._command() as table:
            there = {name: found["size"] for name in files if (found := await self._file.stat(name)) is not None}
            check_room(Plan(send=list(files)), files, there, await self._space(), table.caller.url)

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
                raise not_opened(name, table)
            async with opened:
                found = await read_pieces(opened, size, None if told is None else lambda have: told(have, size)) or b""
            if not await self._digester.holds(table, raw, found):
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
            check_name(name, scratch=True)
        async with self._command() as table:
            await self._require(names, table)
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
            await self._require((old,), table)
            if await self._file.exists(new):
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
            return await self._digester.digest(table, raw, await self._size(table, name))

    async def holds(self, name: str, contents: Data) -> bool:
        """True if there is a file of that name with these contents: its size and its digest say so."""
        raw, data = check_name(name), to_contents(contents)
        async with self._command() as table:
            there = await self._file.stat(name)
            return there is not None and there["size"] == len(data) and await self._digester.holds(table, raw, data)

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
        host.check_writable(path)
        data = await self.get(name, told=told)
        await host.deliver(Path(path), data)
        return len(data)

    async def sync(
        self, folder: str | Path, *, delete: bool = False, dry_run: bool = False, told: FileProgress | None = None
    ) -> Plan:
        """Send what the board lacks of a folder of this computer, or has otherwise: sizes and digests say so.

        Args:
            folder: what is in folders within has names such as "www/index.html"; see `read_folder`.
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
            check_room(plan, wanted.files, there, await self._space(), table.caller.url)
            if dry_run:
                return plan
            for name in plan.remove:
                await self._remove(table, name)
            for name in plan.send:
                show = None if told is None else _of_file(told, name)
                await upload(self._file, table, self._digester, name, wanted.files[name], show)
            return plan

    async def format(self) -> None:
        """Erase all files; see `File.format`."""
        async with self._order:
            self._require_module(await self._tables())
            await self._file.format()

    # Below: the steps of which calls are made.

    @contextlib.asynccontextmanager
    async def _command(self) -> AsyncIterator[HandleTable]:
        """One call at a time, on a board on which nothing is unfinished."""
        async with self._order:
            try:
                table = await self._tables()
                self._require_module(table)
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
                await self._digester.let_go()

    def _require_module(self, table: HandleTable) -> None:
        if "file" not in self._modules():
            raise FileError(
                "The firmware has no module file, and so the board has no files",
                port=table.caller.url,
                remedy="Flash an image with the module file.",
            )

    async def _plan(self, table: HandleTable, wanted: Folder, there: dict[str, int], *, delete: bool) -> Plan:
        plan = Plan(left_out=list(wanted.left_out))
        for name, data in sorted(wanted.files.items()):
            same = there.get(name) == len(data) and await self._digester.holds(table, to_name(name), data)
            (plan.same if same else plan.send).append(name)
        others = [name for name in there if name not in wanted.files]
        (plan.remove if delete else plan.others).extend(others)
        return plan

    async def _require(self, names: Iterable[str], table: HandleTable) -> None:
        absent = [name for name in names if not await self._file.exists(name)]
        if absent:
            raise _no_such(absent, table)

    async def _list(self, table: HandleTable) -> dict[str, int]:
        found = await self._file.list()
        return dict(sorted(found.items()))

    async def _size(self, table: HandleTable, name: str) -> int:
        # A list of all files may be larger than the board's heap.
        there = await self._file.stat(name)
        if there is None:
            raise _no_such((name,), table)
        return there["size"]

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


def _of_file(told: FileProgress, name: str) -> Progress:
    return lambda done, total: told(name, done, total)


def _no_such(names: Iterable[str], table: HandleTable) -> NoSuchFile:
    return NoSuchFile(
        f"There is no file {' and no file '.join(map(shown, names))} on the board",
        port=table.caller.url,
        remedy="`fs ls` shows what there is.",
    )
