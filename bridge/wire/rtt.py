"""Round-trip estimate and how long to wait for an acknowledgement. Pure arithmetic; seconds throughout."""

from __future__ import annotations

#: Weights of a new sample in the mean and in the deviation, and deviations added to the mean: those of RFC 6298.
_MEAN_WEIGHT = 1 / 8
_DEVIATION_WEIGHT = 1 / 4
_DEVIATIONS = 4

#: Never wait less than this, and the time that two of the longest frames take: an adapter holds bytes back for 1 to
#: 16 ms, and the board may be writing one frame and then the one that carries the acknowledgement. What is lost in the
#: middle of a stream is found without waiting.
MIN_WAIT = 0.020
#: Never wait longer, however often nothing came back.
MAX_WAIT = 1.0


class RoundTrip:
    """The time from a frame's last byte leaving the host to its acknowledgement.

    Args:
        first: what to take until there is a sample.
    """

    def __init__(self, first: float = 0.1) -> None:
        self.mean = first
        self.deviation = first / 2
        self.samples = 0
        self.least = MIN_WAIT
        """Never wait less."""
        self._doublings = 0

    def sample(self, seconds: float) -> None:
        """One measured round trip, of a frame that was sent once only (else it is not known which came through)."""
        seconds = max(seconds, 0.0)
        if not self.samples:
            self.mean, self.deviation = seconds, seconds / 2
        else:
            self.deviation += (abs(seconds - self.mean) - self.deviation) * _DEVIATION_WEIGHT
            self.mean += (seconds - self.mean) * _MEAN_WEIGHT
        self.samples += 1
        self._doublings = 0

    def timed_out(self) -> None:
        """Nothing came back in time: wait twice as long next time."""
        self._doublings = min(self._doublings + 1, 6)

    def heard(self) -> None:
        """Something came back: the doubling ends."""
        self._doublings = 0

    def wait(self) -> float:
        """How long to wait for an acknowledgement now."""
        base = max(self.mean + _DEVIATIONS * self.deviation, self.least)
        return float(min(base * 2**self._doublings, MAX_WAIT))
