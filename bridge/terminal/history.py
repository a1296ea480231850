"""What was typed before, in a file that only its owner can read.

Chunks are kept whole, however many lines they have. What holds a key or a password, or begins with a space, is
remembered as long as the terminal lives and not written.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from prompt_toolkit.history import FileHistory

from bridge.errors import UsageError
from bridge.folders import state_folder
from bridge.trace.secrets import find_secrets

#: Bytes of the file above which the oldest entries are dropped.
_MOST = 256 * 1024


def default_file() -> Path:
    """The user's file, by the XDG rules for state; what takes everything and keeps nothing where there is no home."""
    try:
        return state_folder() / "repl_history"
    except UsageError:
        return Path(os.devnull)


class ChunkHistory(FileHistory):
    """A history of chunks. A file that cannot be read or written costs nothing but the memory of it.

    Args:
        file: where it is kept; the user's own by default.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or default_file()
        self._last = ""
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._shorten()
        super().__init__(str(self._file))

    def append_string(self, string: str) -> None:
        """A line was typed, which may be none of a chunk yet: nothing to keep."""

    def keep(self, chunk: str) -> None:
        """Keep a chunk that was run."""
        if chunk.strip() and chunk != self._last:
            self._last = chunk
            super().append_string(chunk)

    def load_history_strings(self) -> Iterable[str]:
        """Newest first."""
        try:
            return list(super().load_history_strings())
        except OSError:
            return []

    def store_string(self, string: str) -> None:
        """Write a chunk to the file."""
        if string.startswith(" ") or find_secrets(string.encode("utf-8", "surrogateescape")):
            return
        lines = "".join(f"+{line}\n" for line in string.split("\n"))
        with contextlib.suppress(OSError):
            descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(f"\n# {datetime.now()}\n{lines}")

    def _shorten(self) -> None:
        if self._file.stat().st_size > _MOST:
            kept = self._file.read_bytes()[-_MOST // 2 :]
            self._file.write_bytes(b"\n# " + kept.partition(b"\n# ")[2])
