"""How much heap a board should have free: what the agent has loaded since is no loss, and what a test has left is one.

The agent loads its rooms, and compiles a function for each kind of call, when they are first needed. What those take is
learnt from the board itself: when heap is missing and new rooms are there, the agent lets go what it can, and what is
then free is judged.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: Bytes that a function compiled for a call takes at most.
SHAPE = 130
#: Heap per byte of a room's source, at most, and what comes on top (recordings mem_*: 2.8 with many small functions).
_PER_BYTE, _ON_TOP = 3.5, 600


@dataclass(frozen=True)
class Look:
    """The heap at one moment, and what is looked at beside it.

    Attributes:
        free: bytes, after a collection.
        rooms: of the agent, that are loaded.
        shapes: functions that are compiled for calls.
        wifi: its mode, and the state of its station (`wifi.getmode`, `wifi.sta.status`); None without that module.
    """

    free: int
    rooms: frozenset[str]
    shapes: int
    wifi: tuple[int, int] | None = None


@dataclass
class HeapBook:
    """What is known of the heap in one boot of a board.

    Args:
        start: the first look at it, when nothing has been done.
        sizes: bytes of each room's source, for what is not known better.
    """

    start: Look
    sizes: dict[str, int] = field(default_factory=dict)
    _clean: dict[frozenset[str], Look] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.learn(self.start)

    def learn(self, look: Look) -> None:
        """The board was clean at this look."""
        known = self._clean.get(look.rooms)
        if known is None or look.free > known.free:
            self._clean[look.rooms] = look

    def missing(self, look: Look) -> int | None:
        """Bytes less than when the board was clean with the same rooms, or None if it never was."""
        known = self._clean.get(look.rooms)
        return None if known is None else _less(known, look)

    def surely_missing(self, look: Look) -> int:
        """Bytes that are missing at the least, by the sizes of rooms that were never there before."""
        best = max(
            (known for known in self._clean.values() if known.rooms <= look.rooms),
            key=lambda known: len(known.rooms),
            default=self.start,
        )
        new = look.rooms - best.rooms
        allowed = sum(int(self.sizes.get(room, 2000) * _PER_BYTE) + _ON_TOP for room in new)
        return _less(best, look) - allowed


def lost(before: Look, after: Look) -> int | None:
    """Bytes that a test has taken, or None if the agent has loaded rooms meanwhile, so that they do not tell."""
    return _less(before, after) if after.rooms == before.rooms else None


def _less(before: Look, after: Look) -> int:
    return before.free - after.free - SHAPE * max(after.shapes - before.shapes, 0)
