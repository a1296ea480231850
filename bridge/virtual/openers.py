"""How many programs have a terminal open, told by the system as they come and go (Linux inotify)."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import struct
import sys
from collections.abc import Callable

# sys/inotify.h
_IN_CLOSE = 0x08 | 0x10
_IN_OPEN = 0x20
_EVENT = struct.Struct("iIII")


class Openers:
    """Watches one device file.

    Args:
        path: of the device.
        changed: called on the event loop after `count` changed.
    """

    def __init__(self, path: str, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._fd = _watch(path)
        #: Open file descriptions besides those that were there before; 0 for ever where the system cannot tell.
        self.count = 0
        if self._fd is not None:
            asyncio.get_running_loop().add_reader(self._fd, self._readable)

    @property
    def known(self) -> bool:
        """False where the system cannot tell who has a file open."""
        return self._fd is not None

    def close(self) -> None:
        """Stop watching. Calling it again does nothing."""
        if self._fd is not None:
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
            self._fd = None

    def _readable(self) -> None:
        assert self._fd is not None
        data = b""
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._fd, 4096)
        before = self.count
        at = 0
        while at < len(data):
            _, mask, _, length = _EVENT.unpack_from(data, at)
            at += _EVENT.size + length
            if mask & _IN_OPEN:
                self.count += 1
            elif mask & _IN_CLOSE:
                self.count = max(0, self.count - 1)
        if self.count != before:
            self._changed()


def _watch(path: str) -> int | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    fd: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if fd < 0:
        return None
    if libc.inotify_add_watch(fd, os.fsencode(path), _IN_OPEN | _IN_CLOSE) < 0:
        os.close(fd)
        return None
    return fd
