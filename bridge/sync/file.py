"""The module `file` and its file objects without `await`."""

from __future__ import annotations

from types import TracebackType
from typing import Self, cast

from bridge.mirror.modules import file as _file
from bridge.mirror.modules import file_object as _file_object
from bridge.mirror.modules.file import Stat
from bridge.mirror.modules.text import Data
from bridge.portal import portal
from bridge.sync.face import KINDS, Remote, face


class FileObject(Remote):
    """`file.obj`; see `bridge.mirror.modules.file_object.FileObject`."""

    @property
    def _file(self) -> _file_object.FileObject:
        return cast(_file_object.FileObject, self.remote)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self, n_or_char: int | str | bytes | None = None) -> bytes | None:
        """Read on."""
        return portal().call(self._file.read(n_or_char))

    def readline(self) -> bytes | None:
        """Read through the next line end, at most 1 024 bytes; None when there are no more."""
        return portal().call(self._file.readline())

    def write(self, string: Data) -> bool | None:
        """Write bytes, or str as UTF-8."""
        return portal().call(self._file.write(string))

    def writeline(self, string: Data) -> bool | None:
        """Write and add a line end; as `write`."""
        return portal().call(self._file.writeline(string))

    def seek(self, whence: str | None = None, offset: int | None = None) -> int | None:
        """Go to a position."""
        return portal().call(self._file.seek(whence, offset))

    def flush(self) -> bool | None:
        """Bring to the flash what was written. Returns True, or None if that failed."""
        return portal().call(self._file.flush())

    def close(self) -> None:
        """Close the file and let its object go. Doing it again does nothing."""
        portal().call(self._file.close())

    def release(self) -> None:
        """As `close`: the file module keeps the last file that was opened, so that letting go closes nothing."""
        portal().call(self._file.release())

    def read_all(self) -> bytes:
        """All that is left, also if that is nothing. (Stock has no such method; `file.getcontents` uses it.)"""
        return portal().call(self._file.read_all())


class File:
    """The module `file`; see `bridge.mirror.modules.file.File`."""

    def __init__(self, file: _file.File) -> None:
        self._file = file

    def open(self, filename: str, mode: str = "r") -> FileObject | None:
        """Open a file."""
        opened = portal().call(self._file.open(filename, mode))
        return None if opened is None else face(opened, FileObject)

    def list(self, pattern: str | None = None) -> dict[str, int]:
        """Names of the files and their sizes in bytes."""
        return portal().call(self._file.list(pattern))

    def exists(self, filename: str) -> bool:
        """True if there is a file of that name."""
        return portal().call(self._file.exists(filename))

    def remove(self, filename: str) -> None:
        """Remove a file, which must not be open; also if there is none of that name."""
        portal().call(self._file.remove(filename))

    def rename(self, oldname: str, newname: str) -> bool:
        """Rename a file. False if that could not be: none of the old name, or one of the new name."""
        return portal().call(self._file.rename(oldname, newname))

    def stat(self, filename: str) -> Stat | None:
        """What is known of a file, or None if there is none of that name."""
        return portal().call(self._file.stat(filename))

    def getcontents(self, filename: str) -> bytes | None:
        """All of a file, of any size: it comes in pieces, where stock reads it at once and runs out of heap."""
        return portal().call(self._file.getcontents(filename))

    def putcontents(self, filename: str, contents: Data) -> bool | None:
        """Make a file, or make it anew, with these contents of any size."""
        return portal().call(self._file.putcontents(filename, contents))

    def fsinfo(self) -> tuple[int, int, int]:
        """(remaining, used, total) bytes of the file system."""
        return portal().call(self._file.fsinfo())

    def fscfg(self) -> tuple[int, int]:
        """(address in the flash, size in bytes) of the file system."""
        return portal().call(self._file.fscfg())

    def format(self) -> None:
        """Erase all files; it takes up to a minute and more. Every handle fails, as when the board restarts."""
        portal().call(self._file.format())


KINDS[_file_object.FileObject] = FileObject
