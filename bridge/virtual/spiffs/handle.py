"""An open file: position, mode, and the small writes that SPIFFS keeps in RAM until they fill a page."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from bridge.virtual.spiffs.geometry import PAGE

if TYPE_CHECKING:
    from bridge.virtual.spiffs.filesystem import FileSystem, Node


class Whence(IntEnum):
    """Where a seek counts from."""

    SET = 0
    CURRENT = 1
    END = 2


@dataclass(frozen=True)
class Flags:
    """What a mode allows (SPIFFS_O_*)."""

    read: bool
    write: bool
    create: bool = False
    truncate: bool = False
    append: bool = False


#: By mode, as `fs_mode2flag`.
FLAGS = {
    b"r": Flags(True, False),
    b"w": Flags(False, True, create=True, truncate=True),
    b"a": Flags(False, True, create=True, append=True),
    b"r+": Flags(True, True),
    b"w+": Flags(True, True, create=True, truncate=True),
    b"a+": Flags(True, True, create=True, append=True),
}


class Handle:
    """One of the four descriptors. Made by `FileSystem.open`."""

    def __init__(self, fs: FileSystem, node: Node, flags: Flags) -> None:
        self.node = node
        #: Closed, or its file is gone: every operation fails.
        self.dead = False
        self._fs = fs
        self._flags = flags
        self._offset = 0
        # Unwritten bytes and where they belong (`fd->cache_page`); lost at a reset.
        self._cached = bytearray()
        self._cached_at = 0

    def read(self, n: int) -> bytes | None:
        """Up to `n` bytes; None at the end and where it may not read."""
        if self.dead or not self._flags.read:
            return None
        self.flush()
        data = self._fs.read(self.node, self._offset, max(n, 0))
        if not data and self._offset >= self.node.size:
            return None
        self._offset += len(data)
        return data

    def write(self, data: bytes) -> int | None:
        """Bytes taken (all of them), or None: no room, or it may not write.

        Less than a page is kept in RAM (`SPIFFS_CACHE_WR`): that it does not fit into the flash shows later, or never.
        """
        if self.dead or not self._flags.write:
            return None
        if self._flags.append:
            self._offset = max(self.node.size, self._cached_at + len(self._cached) if self._cached else 0)
        if len(data) < PAGE:
            return self._write_cached(data)
        self.flush()
        if not self._fs.write(self.node, self._offset, data):
            return None
        self._offset += len(data)
        return len(data)

    def seek(self, offset: int, whence: Whence) -> bool:
        """Move; False if that is before the start or behind the end (then it stands at the end)."""
        if self.dead:
            return False
        self.flush()
        size = self.node.size
        target = offset + (0, self._offset, size)[whence]
        if target < 0:
            return False
        self._offset = min(target, size)
        return target <= size

    def tell(self) -> int:
        """The position in bytes."""
        return self._offset

    def flush(self) -> bool:
        """Bring unwritten bytes into the flash; False if they do not fit, and then they are lost."""
        if self.dead:
            return False
        data, self._cached = bytes(self._cached), bytearray()
        return not data or self._fs.write(self.node, self._cached_at, data)

    def close(self) -> None:
        """Flush and give the descriptor back. Calling it again does nothing."""
        if not self.dead:
            self.flush()
            self.dead = True
            self._fs.released(self)

    def _write_cached(self, data: bytes) -> int | None:
        start, end = self._offset, self._offset + len(data)
        at = self._cached_at
        if self._cached and not (at <= start <= at + len(self._cached) and end <= at + PAGE):
            if not self.flush():
                return None
        if not self._cached:
            self._cached_at = at = start
        self._cached[start - at : end - at] = data
        self._offset = end
        return len(data)
