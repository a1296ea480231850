"""Files on the board's flash, whole or not at all, without `await`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bridge.files import FileProgress, Plan, Space, Written
from bridge.files import Files as _Files
from bridge.mirror.modules.file_pieces import Progress
from bridge.mirror.modules.text import Data
from bridge.portal import portal


class Files:
    """Files on the board's flash; see `bridge.files.Files`. What is told of progress comes on the callback thread."""

    def __init__(self, files: _Files) -> None:
        self._files = files

    def __repr__(self) -> str:
        return "<sync files>"

    @property
    def finished(self) -> tuple[str, ...]:
        """Files whose upload was cut off and that calls here have put in their place, the first one first."""
        return self._files.finished

    def ls(self) -> dict[str, int]:
        """Names of the files, sorted, and their sizes in bytes."""
        return portal().call(self._files.ls())

    def put(self, name: str, contents: Data, *, told: Progress | None = None) -> Written:
        """Make a file, or replace one."""
        return portal().call(self._files.put(name, contents, told=_outside(told)))

    def check_room(self, files: Mapping[str, bytes]) -> None:
        """Refuse, before the first one is sent, files that would not all fit, put in this order."""
        portal().call(self._files.check_room(files))

    def get(self, name: str, *, told: Progress | None = None) -> bytes:
        """The contents of a file, compared by a digest that the board computes."""
        return portal().call(self._files.get(name, told=_outside(told)))

    def rm(self, *names: str) -> None:
        """Remove files; none of them if one is not there."""
        portal().call(self._files.rm(*names))

    def mv(self, old: str, new: str) -> None:
        """Give a file another name."""
        portal().call(self._files.mv(old, new))

    def df(self) -> Space:
        """How much room there is."""
        return portal().call(self._files.df())

    def digest(self, name: str) -> tuple[str, bytes]:
        """(kind, digest) of a file, which the board computes of its flash."""
        return portal().call(self._files.digest(name))

    def holds(self, name: str, contents: Data) -> bool:
        """True if there is a file of that name with these contents."""
        return portal().call(self._files.holds(name, contents))

    def put_file(self, path: str | Path, name: str | None = None, *, told: Progress | None = None) -> Written:
        """Send a file of this computer."""
        return portal().call(self._files.put_file(path, name, told=_outside(told)))

    def get_file(self, name: str, path: str | Path, *, told: Progress | None = None) -> int:
        """Fetch a file to this computer; returns its size in bytes."""
        return portal().call(self._files.get_file(name, path, told=_outside(told)))

    def sync(
        self, folder: str | Path, *, delete: bool = False, dry_run: bool = False, told: FileProgress | None = None
    ) -> Plan:
        """Send what the board lacks of a folder of this computer, or has otherwise."""
        show: FileProgress | None = None
        if told is not None:
            wanted = told

            def show(name: str, done: int, total: int) -> None:
                portal().post(wanted, name, done, total)

        return portal().call(self._files.sync(folder, delete=delete, dry_run=dry_run, told=show))

    def format(self) -> None:
        """Erase all files."""
        portal().call(self._files.format())


def _outside(told: Progress | None) -> Progress | None:
    """What is told of progress, on the callback thread."""
    if told is None:
        return None
    wanted = told
    return lambda done, total: portal().post(wanted, done, total)
