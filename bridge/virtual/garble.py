"""What a UART makes of bytes that were sent at another speed than it listens at.

The sender's bits are laid out in time and sampled as a receiver does: it waits for a falling edge, looks at the
middle of each bit by its own speed, and hands on what it saw, with or without a stop bit.
"""

from __future__ import annotations

import random

#: Speeds that differ by less are received without error: a UART tolerates about half a bit in ten.
TOLERANCE = 0.03


def same_speed(sender: int, receiver: int) -> bool:
    """True if a receiver at this baud reads a sender at that baud without error."""
    return abs(sender - receiver) <= TOLERANCE * receiver


class Garbler:
    """One receiver that listens at the wrong speed. Times are counted in the sender's bits.

    Args:
        sender: baud of the bytes.
        receiver: baud of the UART that reads them.
        random: phase of the receiver's sampling clock (1/16 bit); nobody else may draw from it.
    """

    def __init__(self, sender: int, receiver: int, random: random.Random) -> None:
        self.sender = sender
        self.receiver = receiver
        self._bit = sender / receiver  # a bit of the receiver, in bits of the sender
        self._random = random
        self._levels: list[int] = []
        self._cursor = 0.0  # where the receiver begins to look for a start bit
        self._phase: float | None = None  # of the byte that is being read
        self._broken = False  # no stop bit was seen: the line must go high before a start bit counts

    def feed(self, data: bytes, *, last: bool) -> bytes:
        """Bytes that the receiver reads.

        Args:
            data: bytes that follow on the ones before without a pause.
            last: the line is idle (high) afterwards; without it a byte that is not over yet is kept for later.
        """
        levels = self._levels
        for byte in data:
            levels.append(0)
            levels.extend(byte >> n & 1 for n in range(8))
            levels.append(1)
        out = bytearray()
        while (start := self._find_start()) is not None:
            if self._phase is None:
                self._phase = self._random.random() * self._bit / 16
            phase = start + self._phase
            if not last and phase + 9.5 * self._bit >= len(levels):
                self._cursor = start
                break
            self._phase = None
            out.append(sum(self._level(phase + (n + 1.5) * self._bit) << n for n in range(8)))
            self._cursor = phase + 9.5 * self._bit
            self._broken = not self._level(self._cursor)
        if last:
            levels.clear()
            self._cursor, self._phase, self._broken = 0.0, None, False
        elif (whole := int(self._cursor)) > 0:
            del levels[: min(whole, len(levels))]
            self._cursor -= whole
        return bytes(out)

    def _level(self, time: float) -> int:
        """The line at a time; it is high where nothing was sent."""
        place = int(time)
        return self._levels[place] if place < len(self._levels) else 1

    def _find_start(self) -> float | None:
        """When the next start bit begins; None if there is none in what was sent so far."""
        place = int(self._cursor)
        levels = self._levels
        try:
            if self._broken:
                place = levels.index(1, place)
                self._cursor, self._broken = float(place), False
            elif place < len(levels) and not levels[place]:
                return self._cursor
            return float(levels.index(0, place))
        except ValueError:
            return None
