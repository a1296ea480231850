"""Waits until something changes in some folders, by inotify; where the system has none, for a while."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import select
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

#: From <sys/inotify.h>: closed after writing, as locks are with their processes; moved, made, taken away. Not changed
#: in its times, as holders' signs of life are.
_WATCHED = 0x8 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800
_ONLY_FOLDERS = 0x01000000


class Changes:
    """Changes in folders; a context manager.

    Args:
        folders: to watch. In place of one that is not there yet the one is watched in which it will be.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = [os.fsencode(folder.absolute()) for folder in dict.fromkeys(folders)]
        self._inotify = -1
        if sys.platform == "linux" and self._folders:
            self._libc = ctypes.CDLL(None, use_errno=True)
            with contextlib.suppress(AttributeError):  # a C library without it
                self._inotify = self._libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        self._sees = self._watch()

    def __enter__(self) -> Changes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._inotify >= 0:
            os.close(self._inotify)
            self._inotify = -1

    def wait(self, blind: float, longest: float) -> None:
        """Wait for a change.

        Args:
            blind: seconds to wait where changes cannot be seen.
            longest: seconds to wait where they can.
        """
        if not self._sees:
            time.sleep(blind)
            self._sees = self._watch()
            return
        waiting = select.poll()
        waiting.register(self._inotify, select.POLLIN)
        waiting.poll(longest * 1000)
        with contextlib.suppress(BlockingIOError):
            while os.read(self._inotify, 65536):
                pass
        # Before the caller looks: what happens after this is seen.
        self._sees = self._watch()

    def _watch(self) -> bool:
        """Watch the folders, also those that came meanwhile; False if one cannot be watched."""
        if self._inotify < 0:
            return False
        return all([self._watch_one(folder) for folder in self._folders])

    def _watch_one(self, folder: bytes) -> bool:
        while self._libc.inotify_add_watch(self._inotify, folder, _WATCHED | _ONLY_FOLDERS) < 0:
            above = os.path.dirname(folder)
            if ctypes.get_errno() != errno.ENOENT or above in (folder, b""):
                return False
            folder = above
        return True
