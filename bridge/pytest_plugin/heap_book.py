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
#: Bytes by which Lua's table of strings grows when it doubles, in slots of four bytes (lstring.c `luaS_resize`). A
#: board with the agent has some 100 strings in its heap; with more than 512 there is no room for much else.
DOUBLINGS = (512, 1024)


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

    Tests may leave a little each, and the agent is seen with other rooms each time. So that what several have left
    falls on none, the book carries what is missing since the boot from look to look, and notes with each set of rooms
    how much was missing when it was seen.

    Args:
        start: the first look at it, when nothing has been done.
        sizes: bytes of each room's source, for what is not known better.

    Attributes:
        carried: bytes that are missing since the boot, as far as is known, and are no more charged to anybody.
    """

    start: Look
    sizes: dict[str, int] = field(default_factory=dict)
    carried: int = 0
    _known: dict[frozenset[str], tuple[Look, int]] = field(default_factory=dict)
    _doublings: list[int] = field(default_factory=lambda: [*DOUBLINGS])

    def __post_init__(self) -> None:
        self._last = self.start
        self.learn(self.start)

    def learn(self, look: Look, missing: int | None = None) -> None:
        """With these rooms the board has so much free.

        Args:
            look: at it.
            missing: bytes that were missing then; what is carried now, by default.
        """
        missing = self.carried if missing is None else missing
        known = self._known.get(look.rooms)
        if known is None or look.free + missing > known[0].free + known[1]:
            self._known[look.rooms] = look, missing

    def follow(self, look: Look) -> None:
        """The board goes on from here: what is missing more than at the look before is carried from now on."""
        if look.rooms == self._last.rooms:
            before, carried = self._last, self.carried
        elif look.rooms in self._known:
            before, carried = self._known[look.rooms]
        else:
            self._last = look
            return
        # Functions that were compiled take what they take, at most SHAPE each: between these two the truth lies.
        least, most = carried + _less(before, look), carried + before.free - look.free
        self.carried = max(0, min(max(self.carried, least), most))
        self._last = look

    def measure(self, look: Look) -> int:
        """The board is seen when the agent has let go what it can: what is missing now is carried from here on.

        Returns:
            Bytes that are missing since the boot; less than none where rooms are loaded that were never seen.
        """
        missing = self.missing(look)
        if missing is None:
            missing = self.surely_missing(look)
            self.carried = max(self.carried, missing)
        else:
            self.carried = max(0, missing)
        self.learn(look)
        self._last = look
        return missing

    def missing(self, look: Look) -> int | None:
        """Bytes that are missing since the boot, or None if the board was never seen with these rooms."""
        if look.rooms not in self._known:
            return None
        known, carried = self._known[look.rooms]
        return carried + _less(known, look)

    def surely_missing(self, look: Look) -> int:
        """Bytes that are missing at the least, by the sizes of rooms that were never there before."""
        best, carried = max(
            (known for known in self._known.values() if known[0].rooms <= look.rooms),
            key=lambda known: len(known[0].rooms),
            default=(self.start, 0),
        )
        new = look.rooms - best.rooms
        allowed = sum(int(self.sizes.get(room, 2000) * _PER_BYTE) + _ON_TOP for room in new)
        return carried + _less(best, look) - allowed

    def strings_doubled(self, taken: int, allowed: int) -> bool:
        """True, once for each size, if what is missing may be Lua's table of strings, which has doubled.

        All strings that there are fill it, so it falls on whoever makes the last one, and it stays.

        Args:
            taken: bytes that are missing after a test.
            allowed: bytes that it may leave besides.
        """
        for index, size in enumerate(self._doublings):
            if size - SHAPE <= taken <= size + allowed:
                del self._doublings[: index + 1]
                return True
        return False


def lost(before: Look, after: Look) -> int | None:
    """Bytes that a test has taken, or None if the agent has loaded rooms meanwhile, so that they do not tell."""
    return _less(before, after) if after.rooms == before.rooms else None


def _less(before: Look, after: Look) -> int:
    return before.free - after.free - SHAPE * max(after.shapes - before.shapes, 0)
