"""How many bytes may be in flight to a board whose small receive ring overflows while it is busy. Pure arithmetic.

What a board bears depends on its speed, its collector and its program, and nobody knows any of them. So it is tried:
twice as much each round trip until the ring overflows, then a frame less as long as it overflows often, and a frame
more only after a long time without, which doubles each time that this was too much. A steady amount that overflows
now and then carries more than a search around it: each overflow costs frames and a round trip, and so does each
frame that waits without need.
"""

from __future__ import annotations

#: An overflow that comes so many frames after the last one, or later, is one of those that happen.
_SELDOM = 32
#: Frames without an overflow before a little more is tried: at first, and at most.
_FIRST_PATIENCE, _MOST_PATIENCE = 48, 8192
#: At most so many where one frame is in flight at a time: a second one carries half as much again and more.
_LONE_PATIENCE = 64


class Allowance:
    """Bytes that may be in flight.

    Args:
        least: bytes that can never overrun the board.
        most: bytes that are never exceeded.
    """

    def __init__(self, least: float, most: float) -> None:
        self.bytes = least
        self._least, self._most = least, max(least, most)
        self._probing = least < most
        self._patience = _FIRST_PATIENCE
        self._good = 0
        self._trying = False
        self._before = least
        self._counted_to = -1

    def arrived(self, size: int) -> None:
        """A frame of this many bytes that used the allowance came through."""
        self._good += 1
        patience = self._patience if self.bytes >= 2 * size else min(self._patience, _LONE_PATIENCE)
        if self._probing or self._good >= patience:
            self._good = 0
            self._trying = not self._probing
            self.bytes = min(self.bytes + size, self._most)

    def overran(self, size: int, crowd: int, order: int, latest: int) -> None:
        """A frame was lost because too much was in flight.

        Args:
            size: its bytes.
            crowd: most bytes that were in flight together with it, itself included.
            order: which transmission of all it was.
            latest: which the last one was until now; what was in flight together counts once.
        """
        if order <= self._counted_to:
            return
        self._counted_to = latest
        if self._probing or self._good < _SELDOM:
            self._before = max(self._before, self.bytes)
            # Half a frame less is a whole frame less in flight, whatever the lengths of those that were.
            self.bytes = max(self._least, min(self.bytes, crowd) - size / 2)
            if self._trying:
                self._patience = min(self._patience * 2, _MOST_PATIENCE)
        self._probing = self._trying = False
        self._good = 0

    def forgive(self) -> None:
        """It was the line and no overflow: what was taken is given back."""
        self.bytes = max(self.bytes, self._before)
        self._before = self._least
