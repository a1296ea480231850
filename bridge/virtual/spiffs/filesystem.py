"""Files by name in the pages of a flash region, with the limits and answers of SPIFFS (app/spiffs).

A file is an index header (its name and size) and data pages. Every change writes new pages first and a new header
last: with the header the change has happened, without it nothing has. The accounting (pages of 251 bytes, index
pages, two spare blocks, the room that a write must find before it starts) is that of SPIFFS, so that `fsinfo`, full
file systems and their errors agree with a board's.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.virtual.spiffs.geometry import DATA, MAX_OPEN_FILES, NAME_LENGTH, Geometry, pages_of
from bridge.virtual.spiffs.handle import FLAGS, Handle
from bridge.virtual.spiffs.pages import FREE, Busy, Flash, Key, PageStore, StoreFull

#: Span of an index header; data pages count from 0.
_HEADER_SPAN = 0xFFFF
_HEADER = struct.Struct("<I32s")
_LAST_OBJECT = 0xFFFE


@dataclass(frozen=True)
class Usage:
    """What `file.fsinfo()` answers, in bytes."""

    total: int
    used: int


@dataclass
class Node:
    """A file: its number, name, size in bytes, and the version of its header and of each data page."""

    object: int
    name: bytes
    size: int = 0
    header: int = 0
    pages: dict[int, int] = field(default_factory=dict)


class FileSystem:
    """A mounted file system; `geometry` None is a partition too small for one, where everything fails.

    Names are bytes of 1 to 31, "/" has no meaning. Nothing here raises for what SPIFFS refuses: answers are None or
    False, as its callers turn every error number into the same.

    Args:
        flash: the chip's flash.
        geometry: where in it.
        busy: what flash operations cost.
    """

    def __init__(self, flash: Flash, geometry: Geometry | None, busy: Busy = FREE) -> None:
        self.geometry = geometry
        self._flash = flash
        self._busy = busy
        self._store = None if geometry is None else PageStore(flash, geometry, busy)
        self._nodes: dict[bytes, Node] = {}
        self._handles: list[Handle] = []

    def mount(self) -> bool:
        """Find the files; False if there is no file system."""
        if self._store is None or not self._store.mount():
            return False
        self._find_files(self._store)
        return True

    def format(self, progress: Callable[[int], None] = lambda sector: None) -> bool:
        """Erase everything; open handles die. False if there is no room for a file system.

        Args:
            progress: called before each sector with its number in the region.
        """
        if self.geometry is None:
            return False
        for handle in self._handles:
            handle.dead = True
        self._handles.clear()
        self._nodes.clear()
        self._store = PageStore(self._flash, self.geometry, self._busy)
        self._store.format(progress)
        return True

    def usage(self) -> Usage | None:
        """Sizes as SPIFFS counts them, or None if nothing is mounted."""
        if self.geometry is None:
            return None
        return Usage(self.geometry.total, self._allocated() * DATA)

    def files(self) -> list[tuple[bytes, int]]:
        """Names and sizes in bytes, in the order of their headers in flash: what was changed last comes last."""
        return [(node.name, node.size) for node in sorted(self._nodes.values(), key=lambda node: node.header)]

    def size(self, name: bytes) -> int | None:
        """Bytes of a file that are in flash, or None if there is no such file."""
        node = self._nodes.get(name)
        return None if node is None else node.size

    def open(self, name: bytes, mode: bytes = b"r") -> Handle | None:
        """A handle, or None: no such file, four files open, a name too long, no room.

        Args:
            name: 1 to 31 bytes.
            mode: "r", "w", "a", "r+", "w+", "a+"; anything else reads.
        """
        flags = FLAGS.get(mode, FLAGS[b"r"])
        if self._store is None or not self._has_name(name) or len(self._handles) >= MAX_OPEN_FILES:
            return None
        node = self._nodes.get(name)
        if node is None:
            node = self._create(name) if flags.create else None
        elif flags.truncate:
            self._commit(node, [], 0)
        if node is None:
            return None
        handle = Handle(self, node, flags)
        self._handles.append(handle)
        return handle

    def remove(self, name: bytes) -> bool:
        """Delete a file; handles on it die. It needs a free handle, as SPIFFS does."""
        node = self._nodes.get(name)
        if node is None or self._store is None or len(self._handles) >= MAX_OPEN_FILES:
            return False
        del self._nodes[name]
        for handle in [handle for handle in self._handles if handle.node is node]:
            handle.dead = True
            self._handles.remove(handle)
        self._store.delete(Key(node.object, _HEADER_SPAN, node.header))
        for span, sequence in node.pages.items():
            self._store.delete(Key(node.object, span, sequence))
        return True

    def rename(self, old: bytes, new: bytes) -> bool:
        """Give a file another name; False if there is no such file or the name is taken or too long."""
        node = self._nodes.get(old)
        if node is None or new in self._nodes or not self._has_name(new):
            return False
        del self._nodes[old]
        node.name = new
        self._nodes[new] = node
        self._commit(node, [], node.size)
        return True

    def read_file(self, name: bytes) -> bytes | None:
        """A whole file, or None; needs no handle (for `loadfile` and the like)."""
        node = self._nodes.get(name)
        return None if node is None else self.read(node, 0, node.size)

    def write_file(self, name: bytes, data: bytes) -> bool:
        """Make or replace a whole file; False if it does not fit."""
        handle = self.open(name, b"w")
        if handle is None:
            return False
        written = handle.write(data) == len(data) and handle.flush()
        handle.close()
        return written and self.size(name) == len(data)

    def read(self, node: Node, offset: int, n: int) -> bytes:
        """Bytes of a file; for handles."""
        assert self._store is not None
        data = bytearray()
        end = min(offset + n, node.size)
        while offset < end:
            span, inside = divmod(offset, DATA)
            page = self._store.read(Key(node.object, span, node.pages[span]))
            piece = page[inside : min(DATA, inside + end - offset)]
            data += piece
            offset += len(piece)
        return bytes(data)

    def write(self, node: Node, offset: int, data: bytes) -> bool:
        """Put bytes into a file at an offset up to its size; False if they do not fit. For handles."""
        if not data:
            return True
        if not self._has_room(len(data) + DATA):
            return False
        changed = []
        end = offset + len(data)
        for span in range(offset // DATA, -(-end // DATA)):
            start = span * DATA
            old = self.read(node, start, DATA)
            low, high = max(offset, start), min(end, start + DATA)
            page = old[: low - start] + data[low - offset : high - offset] + old[high - start :]
            changed.append((span, page))
        return self._commit(node, changed, max(node.size, end))

    def released(self, handle: Handle) -> None:
        """A handle was closed; for handles."""
        self._handles.remove(handle)

    def _create(self, name: bytes) -> Node | None:
        taken = {node.object for node in self._nodes.values()}
        number = next((n for n in range(1, _LAST_OBJECT) if n not in taken), None)
        if number is None or not self._has_room(DATA):
            return None
        node = Node(number, name)
        self._nodes[name] = node
        if not self._commit(node, [], 0):
            del self._nodes[name]
            return None
        return node

    def _commit(self, node: Node, changed: list[tuple[int, bytes]], size: int) -> bool:
        """Write data pages, then the header that makes them count, then strike out what they replace."""
        store = self._store
        assert store is not None
        written: list[Key] = []
        try:
            for span, page in changed:
                key = Key(node.object, span, store.next_sequence())
                store.write(key, page)
                written.append(key)
            header = Key(node.object, _HEADER_SPAN, store.next_sequence())
            store.write(header, _HEADER.pack(size, node.name))
        except StoreFull:
            for key in written:
                store.delete(key)
            return False
        stale = [Key(node.object, key.span, node.pages[key.span]) for key in written if key.span in node.pages]
        kept = -(-size // DATA)
        stale += [Key(node.object, span, sequence) for span, sequence in node.pages.items() if span >= kept]
        if node.header:
            stale.append(Key(node.object, _HEADER_SPAN, node.header))
        node.pages = {span: sequence for span, sequence in node.pages.items() if span < kept}
        node.pages.update((key.span, key.sequence) for key in written)
        node.header, node.size = header.sequence, size
        for key in stale:
            store.delete(key)
        return True

    def _find_files(self, store: PageStore) -> None:
        """Derive the files from the pages: the newest header of each, and its newest data pages older than that."""
        headers: dict[int, int] = {}
        for key in store.keys():
            if key.span == _HEADER_SPAN:
                headers[key.object] = max(headers.get(key.object, 0), key.sequence)
        nodes = {}
        for number, sequence in headers.items():
            size, name = _HEADER.unpack_from(store.read(Key(number, _HEADER_SPAN, sequence)))
            nodes[number] = Node(number, name.rstrip(b"\0"), size, sequence)
        for key in sorted(store.keys()):
            node = nodes.get(key.object)
            if node is not None and key.span < -(-node.size // DATA) and key.sequence < node.header:
                node.pages[key.span] = key.sequence  # the greatest comes last
        # A file lacks pages only where the region's start has moved over them.
        whole = [node for node in nodes.values() if len(node.pages) == -(-node.size // DATA)]
        self._nodes = {node.name: node for node in sorted(whole, key=lambda node: node.header)}
        live = {Key(node.object, _HEADER_SPAN, node.header) for node in self._nodes.values()}
        live |= {Key(n.object, span, sequence) for n in self._nodes.values() for span, sequence in n.pages.items()}
        for key in store.keys():
            if key not in live:
                store.delete(key)

    def _allocated(self) -> int:
        return sum(pages_of(node.size) for node in self._nodes.values())

    def _has_room(self, size: int) -> bool:
        """As `spiffs_gc_check`: the free pages hold `size` bytes."""
        assert self.geometry is not None
        return size <= (self.geometry.capacity - self._allocated()) * DATA

    @staticmethod
    def _has_name(name: bytes) -> bool:
        return len(name) <= NAME_LENGTH
