"""The receiving half of a session: puts frames in order, joins fragments, says what has arrived and what is wanted."""

from __future__ import annotations

from bridge.errors import RemoteProtocolError
from bridge.wire.frame import SEQ_COUNT, WINDOW, Frame, Kind

#: Ask again for a frame when its answer is overdue by this factor of the usual time, and by this many seconds.
_PATIENCE_FACTOR, _PATIENCE_SECONDS = 2.0, 0.005
#: But never more patient than this, in seconds.
_MOST_PATIENCE = 1.0
#: An answer that comes sooner after it was asked for than this share of the usual time answers what was asked before.
_TOO_SOON = 0.5


class Receiver:
    """Order, duplicates, fragments and gaps of one direction. Holds at most a window of frames and one message.

    Args:
        longest: bytes of one message at most.
    """

    def __init__(self, longest: int) -> None:
        self.expected = 0
        """The next sequence number wanted."""
        self.duplicates = 0
        self._longest = longest
        self._early: dict[int, Frame] = {}
        self._parts = bytearray()
        self._asked: dict[int, list[float]] = {}  # when, each time
        self._turn = 0.05
        self._gap_since: float | None = None
        self._suspect = False

    @property
    def arrived_mask(self) -> int:
        """Bit i: frame `expected + i` is here already."""
        return sum(1 << (seq - self.expected) % SEQ_COUNT for seq in self._early)

    @property
    def gap(self) -> bool:
        """A later frame is here and an earlier one is not."""
        return bool(self._early)

    @property
    def gap_since(self) -> float | None:
        """Since when the next frame wanted has been missing, though later ones are here; None while there is no gap."""
        return self._gap_since

    def damaged(self) -> None:
        """Something that may have been a frame did not come through: perhaps the next new one."""
        self._suspect = True

    def wanted(self, now: float) -> bytes:
        """Numbers of frames that are to be sent again; what is named here counts as asked for now."""
        numbers = bytearray()
        for seq in self._missing():
            asked = self._asked.setdefault(seq, [])
            if not asked or now >= asked[-1] + self._patience:
                asked.append(now)
                numbers.append(seq)
        if self._suspect:
            self._suspect = False
            after = self._highest()
            if (after - self.expected) % SEQ_COUNT < WINDOW:
                numbers.append(after)
        return bytes(numbers)

    def deadline(self) -> float | None:
        """When a missing frame is to be asked for (again); None when none is missing."""
        times = [asked[-1] + self._patience if (asked := self._asked.get(seq)) else 0.0 for seq in self._missing()]
        if self._suspect:
            times.append(0.0)
        return min(times, default=None)

    def arrived(self, frame: Frame, now: float) -> list[bytes]:
        """Take a frame with payload; returns the messages that it completes, in order.

        Raises:
            RemoteProtocolError: the fragments of a message do not end.
        """
        self._suspect = False
        distance = (frame.seq - self.expected) % SEQ_COUNT
        if distance >= WINDOW or frame.seq in self._early:
            self.duplicates += 1
            return []
        if (asked := self._asked.pop(frame.seq, None)) is not None:
            self._learn(asked, now)
        self._early[frame.seq] = frame
        if not distance:
            self._gap_since = None
        messages = []
        while (ready := self._early.pop(self.expected, None)) is not None:
            self._asked.pop(self.expected, None)
            self.expected = (self.expected + 1) % SEQ_COUNT
            self._parts += ready.payload
            if len(self._parts) > self._longest:
                raise RemoteProtocolError(f"A message on the link is longer than {self._longest} bytes")
            if ready.kind is Kind.LAST:
                messages.append(bytes(self._parts))
                self._parts.clear()
        if self._early and self._gap_since is None:
            self._gap_since = now
        return messages

    @property
    def _patience(self) -> float:
        return min(self._turn * _PATIENCE_FACTOR + _PATIENCE_SECONDS, _MOST_PATIENCE)

    def _learn(self, asked: list[float], now: float) -> None:
        """How long an answer takes.

        Behind a line that stands still answers queue up. Were each taken for one to the last question, nothing would
        be learnt of that, and asking again and again would fill the line with copies until nothing else gets through.
        """
        least = self._turn * _TOO_SOON
        when = next((when for when in reversed(asked) if now - when >= least), asked[0])
        self._turn += (now - when - self._turn) / 4

    def _highest(self) -> int:
        """The number after the highest that is here."""
        ahead = max(((seq - self.expected) % SEQ_COUNT + 1 for seq in self._early), default=0)
        return (self.expected + ahead) % SEQ_COUNT

    def _missing(self) -> list[int]:
        ahead = (self._highest() - self.expected) % SEQ_COUNT
        return [seq for i in range(ahead) if (seq := (self.expected + i) % SEQ_COUNT) not in self._early]
