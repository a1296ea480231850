"""Saved files of a board on the host: a folder for each board, kept until the last of them is back on it.

A folder is found by the end of the board's MAC address, which both the running firmware (`node.chipid`) and the ROM
loader tell: a run that was cut off is gone on with, also on another port. What a board was saved with is there as a
whole or not at all. All is readable by its owner alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from bridge.errors import UsageError
from bridge.folders import state_folder

#: Where a file system is: offset in the flash and size, in bytes.
Place = tuple[int, int]
_SAFE = " ~+,"
_FILES, _ABOUT = "files", "about.json"


class Kept:
    """Saved files of one board.

    Args:
        board: its MAC address, or the last three bytes of it, in hexadecimal digits.
        root: folder of all boards; by default in the user's state folder.

    Raises:
        UsageError: there is no home folder; and, in all methods, the folder cannot be used.
    """

    def __init__(self, board: str, root: Path | None = None) -> None:
        digits = re.sub("[^0-9a-f]", "", board.lower())
        self._home = (root or default_root()) / digits[-6:]

    @property
    def folder(self) -> Path | None:
        """The folder with the files that are not back yet; None if there are none."""
        found = self._newest()
        if found is None:
            return None
        with _explained(found):
            return found / _FILES if any((found / _FILES).iterdir()) else None

    @property
    def whole(self) -> bool:
        """Nothing of what was saved is back yet: what is on the board may go."""
        folder = self.folder
        return folder is not None and len(list(folder.iterdir())) == self._about().get("count")

    @property
    def place(self) -> Place | None:
        """Where the board had its file system when they were saved; None if it did not tell."""
        said = self._about().get("place")
        return (int(said[0]), int(said[1])) if isinstance(said, list) and len(said) == 2 else None

    @property
    def when(self) -> str:
        """Date and time at which they were saved."""
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(float(str(self._about().get("saved", 0)))))

    def read(self) -> dict[str, bytes]:
        """Names on the board and contents of the files that are not back yet."""
        folder = self.folder
        if folder is None:
            return {}
        with _explained(folder):
            return {board_name(path.name): path.read_bytes() for path in sorted(folder.iterdir())}

    def save(self, files: Mapping[str, bytes], place: Place | None) -> Path:
        """Keep these files in place of those that are kept; returns the folder they are in.

        Args:
            files: names on the board, and contents.
            place: of the file system that they are from.
        """
        with _explained(self._home):
            self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
            for left in self._home.glob(".new-*"):
                shutil.rmtree(left)
            old = self._newest()
            fresh = Path(tempfile.mkdtemp(dir=self._home, prefix=".new-"))  # mode 0700
            try:
                (fresh / _FILES).mkdir(mode=0o700)
                taken: set[str] = set()
                for name, data in sorted(files.items()):
                    _write(fresh / _FILES / host_name(name, taken), data)
                _write(fresh / _ABOUT, json.dumps({"place": place, "saved": time.time(), "count": len(files)}).encode())
                saved = self._home / str(1 if old is None else int(old.name) + 1)
                fresh.rename(saved)
            except BaseException:
                shutil.rmtree(fresh, ignore_errors=True)
                self._tidy()
                raise
            if old is not None:
                shutil.rmtree(old)
        return saved / _FILES

    def back(self, name: str) -> None:
        """A file is on the board again."""
        folder = self.folder
        if folder is not None:
            with _explained(folder):
                for path in folder.iterdir():
                    if board_name(path.name) == name:
                        path.unlink()
                if not any(folder.iterdir()):
                    self.drop()

    def drop(self) -> None:
        """All files are on the board again."""
        shutil.rmtree(self._home, ignore_errors=True)

    def _newest(self) -> Path | None:
        try:
            numbers = [int(path.name) for path in self._home.iterdir() if path.name.isdecimal()]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _cannot(self._home, error) from error
        return self._home / str(max(numbers)) if numbers else None

    def _about(self) -> dict[str, object]:
        folder = self._newest()
        try:
            said = {} if folder is None else json.loads((folder / _ABOUT).read_text())
        except (OSError, ValueError):
            return {}
        return said if isinstance(said, dict) else {}

    def _tidy(self) -> None:
        with contextlib.suppress(OSError):
            self._home.rmdir()


def default_root() -> Path:
    """The folder of all boards' saved files, by the XDG rules for state.

    Raises:
        UsageError: there is no home folder.
    """
    return state_folder() / "files"


def host_name(name: str, taken: set[str]) -> str:
    """The name of a saved file in its folder: what a host cannot have in a name is percent-encoded.

    Args:
        name: on the board; bytes that are no text are surrogates, as everywhere.
        taken: names in the folder, in lower case, which gets this one: of two that differ in case only the second
            one is encoded wholly, for hosts that ignore case.
    """
    raw = name.encode("utf-8", "surrogateescape")
    plain = quote_from_bytes(raw, safe=_SAFE)
    if plain[:1] in (".", " ") or plain[-1:] in (".", " ") or plain.lower() in taken:
        plain = "".join(f"%{byte:02X}" for byte in raw)
    taken.add(plain.lower())
    return plain


def board_name(name: str) -> str:
    """The name on the board of a file in the folder."""
    return unquote_to_bytes(name).decode("utf-8", "surrogateescape")


@contextlib.contextmanager
def _explained(folder: Path):  # type: ignore[no-untyped-def]
    try:
        yield
    except OSError as error:
        raise _cannot(folder, error) from error


def _cannot(folder: Path, error: OSError) -> UsageError:
    return UsageError(
        f"{folder} cannot be used ({error.strerror})", remedy="Set XDG_STATE_HOME to a folder that can be written."
    )


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
