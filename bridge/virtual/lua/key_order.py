"""In which order `pairs` on the chip's 5.1 goes through a table of strings that grew key by key (app/lua/ltable.c).

The firmware's tables grow in place, other than those of the host's Lua. A table that the firmware fills is therefore
filled here so that its keys lie where the chip has them. On 5.3 strings are hashed with a random seed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import count


def string_hash(text: bytes) -> int:
    """Hash of a string (`luaS_newlstr`)."""
    value, step = len(text), (len(text) >> 5) + 1
    for at in range(len(text), step - 1, -step):
        value ^= ((value << 5) + (value >> 2) + text[at - 1]) & 0xFFFFFFFF
    return value


@dataclass
class _Node:
    key: bytes | None = None
    filled: bool = False
    next: int | None = None


class _Nodes:
    """The hash part of a table; there is no array part without integers."""

    def __init__(self, size: int = 0) -> None:
        self.nodes = [_Node() for _ in range(size)]
        self._free = size

    def keys(self) -> tuple[bytes, ...]:
        """The keys in the order of `next`."""
        return tuple(node.key for node in self.nodes if node.key is not None)

    def add(self, key: bytes) -> None:
        """Add a key that is not there (`newkey`)."""
        if not self.nodes:
            self._grow()
        main = self.main(key)
        if self.nodes[main].filled:
            free = self._free_place()
            if free is None:
                self._grow()
                self.add(key)
                return
            main = self._collided(main, free)
        node = self.nodes[main]
        node.key, node.filled = key, True

    def _collided(self, main: int, free: int) -> int:
        node, place = self.nodes[main], self.nodes[free]
        assert node.key is not None
        other = self.main(node.key)
        if other == main:
            place.next, node.next = node.next, free
            return free
        before = other
        while self.nodes[before].next != main:
            before = self.nodes[before].next  # type: ignore[assignment]
        self.nodes[before].next = free
        place.key, place.filled, place.next = node.key, True, node.next
        node.filled, node.next = False, None
        return main

    def main(self, key: bytes) -> int:
        """The node where a key belongs."""
        return string_hash(key) & len(self.nodes) - 1

    def _free_place(self) -> int | None:
        while self._free > 0:
            self._free -= 1
            if self.nodes[self._free].key is None:
                return self._free
        return None

    def _grow(self) -> None:
        """As `resize_hashpart`: twice as many nodes, into which the keys move where they are."""
        size = 1 << sum(node.filled for node in self.nodes).bit_length()
        for node in self.nodes:
            node.next = None
        self.nodes += [_Node() for _ in range(size - len(self.nodes))]
        self._free = size
        for at in range(size):
            while self.nodes[at].filled and not self._moved(at):
                pass

    def _before(self, start: int, end: int) -> int | None:
        at: int | None = start
        while at is not None and self.nodes[at].next != end:
            at = self.nodes[at].next
        return at

    def _moved(self, at: int) -> bool:
        """Move a node to its main position (`move_node`); False if what is there now is to be moved next."""
        node = self.nodes[at]
        assert node.key is not None
        main = self.main(node.key)
        if main == at or self._before(main, at) is not None:
            return True
        there = self.nodes[main]
        if not there.filled:
            self.nodes[main], self.nodes[at] = _Node(node.key, True), _Node()
            return True
        assert there.key is not None
        other = self.main(there.key)
        if other == main:
            node.next, there.next = there.next, at
            return True
        before = self._before(other, main)
        if before is not None:
            self.nodes[before].next = at
        self.nodes[main], self.nodes[at] = node, there
        return before is not None


def grown(keys: Iterable[bytes], room: int = 0) -> tuple[bytes, ...]:
    """The order of keys in a table on the chip.

    Args:
        keys: in the order in which they are added, each once.
        room: for how many keys the table is made (`lua_createtable`).
    """
    return _filled(keys, room).keys()


@lru_cache(maxsize=200)
def placing(keys: tuple[bytes, ...]) -> tuple[int, tuple[tuple[bytes, bool], ...]]:
    """How to fill a table of the host's so that its keys lie as in one that grew on the chip.

    Args:
        keys: in the order in which the firmware adds them.

    Returns:
        For how many keys to make the table, and what to add: a key, and whether it only takes a place and is to be
        taken away again.
    """
    table = _filled(keys)
    at_home: list[tuple[int, bytes]] = []
    displaced: list[tuple[int, bytes]] = []
    for at, node in enumerate(table.nodes):
        if node.key is not None:
            (at_home if table.main(node.key) == at else displaced).append((at, node.key))
    steps = [(key, False) for _, key in at_home]
    free = [at for at in reversed(range(len(table.nodes))) if at not in dict(at_home)]
    # A key whose place is taken goes to the last free one: what lies behind the place it is to have is taken, too.
    for at, key in reversed(displaced):
        while free[0] > at:
            steps.append((_stand_in(free.pop(0), len(table.nodes)), True))
        free.pop(0)
        steps.append((key, False))
    return len(table.nodes), tuple(steps)


def _stand_in(at: int, size: int) -> bytes:
    """A key that no program has, with its main position at a node."""
    texts = (b"\0node%d" % number for number in count())
    return next(text for text in texts if string_hash(text) & size - 1 == at)


def _filled(keys: Iterable[bytes], room: int = 0) -> _Nodes:
    table = _Nodes(1 << (room - 1).bit_length() if room else 0)
    for key in keys:
        table.add(key)
    return table
