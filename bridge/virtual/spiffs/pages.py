"""Numbered pages in NOR flash: written once, found again after any interruption, collected when stale.

A block is a lookup page and the pages it names. The lookup page starts with the block's header; behind it stands an
entry of eight bytes for each page: object, span, sequence number, check. An entry is written after its page, so that
a page counts only when it is whole; its check byte is cleared when the page is stale. Everything else is derived at
mount.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from bridge.virtual.spiffs.geometry import PAGE, SECTOR, Geometry

_HEADER = struct.Struct("<4sHH")  # magic, blocks from here to the end, times erased
_MAGIC = b"NMFS"
#: Bytes of an entry, and of the header that stands where an entry 0 would.
_ENTRY = 8
_BLANK = b"\xff" * _ENTRY
#: Sequence numbers have 24 bits.
_LAST = 0xFFFFFF


class Flash(Protocol):
    """What the store needs of a flash memory (`bridge.virtual.chip.flash.FlashMemory`)."""

    def read(self, offset: int, n: int) -> bytes: ...

    def program(self, offset: int, data: bytes) -> None: ...

    def erase(self, offset: int, n: int) -> None: ...


@dataclass(frozen=True)
class Busy:
    """How long flash operations hold the CPU.

    Args:
        wait: called with seconds.
        program_s: seconds to program a page of 256 bytes; fewer bytes take their share, and the command itself 30 µs.
        erase_s: seconds to erase a sector.
    """

    wait: Callable[[float], None]
    program_s: float = 0.7e-3
    erase_s: float = 45e-3

    def programmed(self, n: int) -> None:
        self.wait(30e-6 + max(0.0, self.program_s - 30e-6) * n / PAGE)

    def erased(self) -> None:
        self.wait(self.erase_s)


#: A file system that is prepared from outside: no board waits for it.
FREE = Busy(lambda seconds: None, 0.0, 0.0)


@dataclass(frozen=True, order=True)
class Key:
    """What a page holds: a part of an object, in one of its versions."""

    object: int
    span: int
    sequence: int


class StoreFull(Exception):
    """No page is left, and no stale one to collect."""


@dataclass
class _Block:
    erased: int = 0
    opened: bool = False
    used: int = 0
    keys: dict[int, Key] = field(default_factory=dict)

    @property
    def stale(self) -> int:
        return self.used - len(self.keys)


class PageStore:
    """The pages of one file system.

    Args:
        flash: where they live.
        geometry: how the region is divided.
        busy: what operations cost.
    """

    def __init__(self, flash: Flash, geometry: Geometry, busy: Busy = FREE) -> None:
        self.flash = flash
        self.geometry = geometry
        self.busy = busy
        self._blocks = [_Block() for _ in range(geometry.blocks)]
        self._where: dict[Key, tuple[int, int]] = {}
        self._open: int | None = None
        self._sequence = 0

    def mount(self) -> bool:
        """Find what is there; False if the region holds no file system of this geometry."""
        size = self.geometry.block_size
        found = False
        dirty = []
        for number, block in enumerate(self._blocks):
            lookup = self.flash.read(self._address(number), PAGE)
            if self._read_header(number, block, lookup):
                found = True
            elif self.flash.read(self._address(number), size) != b"\xff" * size:
                dirty.append(number)  # an erase was interrupted, or something else was written here
        if not found:
            return False
        for number in dirty:
            self._erase(number)
        for number, block in enumerate(self._blocks):
            if block.opened:
                self._read_entries(number, block)
        self._recover()
        return True

    def format(self, progress: Callable[[int], None] = lambda sector: None) -> None:
        """Erase the region and mark it as ours.

        Args:
            progress: called before each sector with its number in the region, from 0.
        """
        self._where.clear()
        self._open = None
        self._blocks = [_Block() for _ in range(self.geometry.blocks)]
        sectors = self.geometry.block_size // SECTOR
        for number in range(self.geometry.blocks):
            for sector in range(sectors):
                progress(number * sectors + sector)
                self.flash.erase(self._address(number) + sector * SECTOR, SECTOR)
                self.busy.erased()
        for number in range(self.geometry.blocks):
            self._mark(number)

    def keys(self) -> Iterator[Key]:
        """All pages that are there, in no particular order."""
        return iter(list(self._where))

    def read(self, key: Key) -> bytes:
        """The whole page."""
        block, page = self._where[key]
        return self.flash.read(self._address(block, page), PAGE)

    def next_sequence(self) -> int:
        """A sequence number greater than every one before."""
        self._sequence += 1
        if self._sequence >= _LAST:
            raise StoreFull
        return self._sequence

    def write(self, key: Key, data: bytes) -> None:
        """Put a page down; after a power cut it is there whole or not at all.

        Raises:
            StoreFull: there is no room; nothing was written.
        """
        if self._open is None or self._blocks[self._open].used >= self.geometry.pages_per_block:
            self._open_block()
        assert self._open is not None
        self._put(self._open, key, data)

    def delete(self, key: Key) -> None:
        """Mark a page as stale."""
        block, page = self._where.pop(key)
        del self._blocks[block].keys[page]
        self._strike(block, page)

    def _put(self, number: int, key: Key, data: bytes) -> None:
        block = self._blocks[number]
        block.used += 1
        page = block.used
        self._program(self._address(number, page), data)
        self._program(self._address(number) + _ENTRY * page, _pack(key))
        block.keys[page] = key
        self._where[key] = (number, page)

    def _open_block(self) -> None:
        """Choose a fresh block, the least worn; before the last one is taken, collect."""
        fresh = [n for n, block in enumerate(self._blocks) if not block.used]
        self._open = None
        if len(fresh) < 2:
            self._collect(fresh)
            return
        self._take(fresh)

    def _take(self, fresh: list[int]) -> int:
        number = min(fresh, key=lambda n: self._blocks[n].erased)
        if not self._blocks[number].opened:
            self._mark(number)
        self._open = number
        return number

    def _collect(self, fresh: list[int]) -> None:
        """Move the pages of the block with most stale ones into the last fresh block, and erase it."""
        full = [n for n, block in enumerate(self._blocks) if block.used]
        victim = max(full, key=lambda n: (self._blocks[n].stale, -self._blocks[n].erased))
        if not fresh or not self._blocks[victim].stale:
            raise StoreFull
        self._move(victim, self._take(fresh))

    def _move(self, victim: int, target: int) -> None:
        for _, key in sorted(self._blocks[victim].keys.items()):
            self._put(target, key, self.read(key))
        self._erase(victim)

    def _erase(self, number: int) -> None:
        # The first sector goes first: it holds the header, without which the rest counts as nothing.
        for offset in range(0, self.geometry.block_size, SECTOR):
            self.flash.erase(self._address(number) + offset, SECTOR)
            self.busy.erased()
        self._blocks[number] = _Block(erased=self._blocks[number].erased + 1)
        self._mark(number)

    def _mark(self, number: int) -> None:
        block = self._blocks[number]
        block.opened = True
        header = _HEADER.pack(_MAGIC, self.geometry.blocks - number, min(block.erased, 0xFFFF))
        self._program(self._address(number), header)

    def _read_header(self, number: int, block: _Block, lookup: bytes) -> bool:
        magic, remaining, erased = _HEADER.unpack_from(lookup)
        if magic != _MAGIC or remaining != self.geometry.blocks - number:
            return False
        block.opened, block.erased = True, erased
        return True

    def _read_entries(self, number: int, block: _Block) -> None:
        lookup = self.flash.read(self._address(number), PAGE)
        for page in range(1, self.geometry.pages_per_block + 1):
            raw = lookup[_ENTRY * page : _ENTRY * (page + 1)]
            if raw == _BLANK:
                continue
            block.used = page
            key = _unpack(raw)
            if key is None:
                continue
            self._sequence = max(self._sequence, key.sequence)
            if key in self._where:  # a collection was interrupted after this page was moved
                self._strike(number, page)
                continue
            block.keys[page] = key
            self._where[key] = (number, page)
        following = block.used + 1
        if following <= self.geometry.pages_per_block:
            if self.flash.read(self._address(number, following), PAGE) != b"\xff" * PAGE:
                block.used = following  # its page was written, its entry was not
                self._strike(number, following)

    def _recover(self) -> None:
        """Choose the block to write on in, and finish a collection that was interrupted."""
        size = self.geometry.pages_per_block
        if all(block.used for block in self._blocks):
            # SPIFFS erases nothing when it starts, whatever was removed. Only one block must be there to collect into.
            stale = next((n for n, block in enumerate(self._blocks) if not block.keys), None)
            if stale is not None:
                self._erase(stale)
        started = [n for n, block in enumerate(self._blocks) if 0 < block.used < size]
        self._open = min(started, key=lambda n: self._blocks[n].used, default=None)
        if self._open is None or any(not block.used for block in self._blocks):
            return
        target = self._blocks[self._open]
        fitting = [
            n
            for n, block in enumerate(self._blocks)
            if block is not target and block.stale and len(block.keys) <= size - target.used
        ]
        if fitting:
            self._move(max(fitting, key=lambda n: self._blocks[n].stale), self._open)

    def _strike(self, block: int, page: int) -> None:
        """Clear an entry's check byte: one byte, so that it happens or does not."""
        self._program(self._address(block) + _ENTRY * (page + 1) - 1, b"\0")

    def _address(self, block: int, page: int = 0) -> int:
        return self.geometry.address + block * self.geometry.block_size + page * PAGE

    def _program(self, address: int, data: bytes) -> None:
        self.flash.program(address, data)
        self.busy.programmed(len(data))


def _pack(key: Key) -> bytes:
    raw = struct.pack("<HH", key.object, key.span) + key.sequence.to_bytes(3, "little")
    return raw + bytes((_check(raw),))


def _unpack(raw: bytes) -> Key | None:
    """The entry, or None if it is cleared or was not written to its end."""
    if raw[-1] != _check(raw[:-1]):
        return None
    number, span = struct.unpack_from("<HH", raw)
    return Key(number, span, int.from_bytes(raw[4:7], "little"))


def _check(raw: bytes) -> int:
    """A byte that is neither all zeroes (cleared) nor all ones (not written)."""
    return sum(raw) * 31 % 63 + 1
