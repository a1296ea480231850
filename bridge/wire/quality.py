"""How much a line damages, and the frame length that fits it. Pure arithmetic."""

from __future__ import annotations

import math

#: Bytes after which what was seen before counts half: about half a second of a full line at 115 200 baud.
_MEMORY = 6000
#: What to believe before anything was seen: one loss in so many bytes.
_PRIOR_BYTES = 2000


class LineQuality:
    """Counts frames that arrived and frames that did not.

    Args:
        overhead: bytes of a frame that are not payload.
        damage: share of damaged bytes to start from.
    """

    def __init__(self, overhead: int, damage: float = 0.0005) -> None:
        self._overhead = overhead
        self.seen = 0
        """Frames counted since the start."""
        self._bytes = float(_PRIOR_BYTES)
        self._frames = _PRIOR_BYTES / 100
        self._lost = self._frames * (1 - (1 - min(damage, 0.2)) ** 100)

    def arrived(self, size: int) -> None:
        """A frame of this many bytes on the line came through."""
        self._count(size, 0)

    def lost(self, size: int) -> None:
        """A frame of this many bytes on the line did not."""
        self._count(size, 1)

    def _count(self, size: int, lost: int) -> None:
        if self._bytes > _MEMORY:
            self._bytes /= 2
            self._frames /= 2
            self._lost /= 2
        self.seen += 1
        self._bytes += size
        self._frames += 1
        self._lost += lost

    @property
    def damage(self) -> float:
        """Estimated share of damaged bytes."""
        share = min(self._lost / self._frames, 0.95)
        return -math.log(1 - share) * self._frames / self._bytes

    def best_size(self, largest: int, smallest: int = 24) -> int:
        """Length of a frame on the line, overhead included, at which most payload gets through.

        The length T that makes (T − h)/T · e^(−damage·T) largest for overhead h solves T² − hT − h/damage = 0.
        """
        damage = max(self.damage, 1e-6)
        best = (self._overhead + math.sqrt(self._overhead**2 + 4 * self._overhead / damage)) / 2
        return max(smallest, min(largest, int(best)))
