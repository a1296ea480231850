"""Damage on the line, by seed: bytes lost, flipped or doubled, and stalls.

Each direction of a line has its own `Faults` with its own random numbers, so that what happens to one direction does
not depend on how much went the other way, nor on the pieces in which bytes pass.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from bridge.virtual.options import VirtualOptions

#: A stall is as long as a USB adapter's driver or a loaded host makes one, in seconds.
STALL_S = (0.005, 0.050)


@dataclass(frozen=True)
class Damaged:
    """Bytes after the faults.

    Args:
        data: what arrives.
        stall: seconds for which the line stands still before these bytes.
    """

    data: bytes
    stall: float = 0.0


class Faults:
    """The faults of one direction.

    Args:
        options: the shares `drop`, `flip`, `duplicate` and `delay`, each 0 to below 1, of all bytes.
        random: where the faults' places and kinds come from; nobody else may draw from it.
    """

    def __init__(self, options: VirtualOptions, random: Random) -> None:
        self._shares = {
            kind: share
            for kind in ("drop", "flip", "duplicate", "delay")
            if (share := float(getattr(options, kind))) > 0.0
        }
        # Numbers of its own for each kind: the order in which they are drawn would depend on the pieces otherwise.
        self._random = {kind: Random(random.random()) for kind in self._shares}
        #: Bytes that pass before the next fault of each kind.
        self._gap = {kind: self._draw_gap(kind) for kind in self._shares}
        #: How many faults of each kind there were.
        self.counts = dict.fromkeys(self._shares, 0)

    @property
    def active(self) -> bool:
        """False when no fault can ever happen."""
        return bool(self._shares)

    def damage(self, data: bytes) -> Damaged:
        """What arrives of bytes that pass now."""
        places = self._places(len(data)) if self._shares else []
        if not places:
            return Damaged(data)
        out = bytearray()
        stall = 0.0
        done = 0
        for place, kind, chance in places:
            self.counts[kind] += 1
            out += data[done:place]
            done = max(done, place)
            if kind == "delay":
                stall += STALL_S[0] + chance * (STALL_S[1] - STALL_S[0])
            elif done == place:  # a byte that was dropped cannot be flipped as well
                done = place + 1
                if kind == "flip":
                    out.append(data[place] ^ 1 << int(chance * 8))
                elif kind == "duplicate":
                    out += data[place : place + 1] * 2
        return Damaged(bytes(out + data[done:]), stall)

    def _places(self, length: int) -> list[tuple[int, str, float]]:
        """Where faults fall in the next bytes, in order, each with a number below 1 that says how it turns out."""
        places = []
        for kind in self._shares:
            place = self._gap[kind]
            while place < length:
                places.append((place, kind, self._random[kind].random()))
                place += 1 + self._draw_gap(kind)
            self._gap[kind] = place - length
        return sorted(places)

    def _draw_gap(self, kind: str) -> int:
        """Bytes before the next fault: geometric, one draw for each fault and none for whole bytes."""
        return int(math.log(1.0 - self._random[kind].random()) / math.log1p(-self._shares[kind]))
