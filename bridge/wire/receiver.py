"""The receiving half of a session: puts frames in order, joins fragments, says what has arrived and what is wanted."""

from __future__ import annotations

from bridge.errors import RemoteProtocolError
from bridge.wire.frame import SEQ_COUNT, WINDOW, Frame, Kind

#: Ask again for a frame when its answer is overdue by this factor of the usual time, and by this many seconds.
_PATIENCE_FACTOR, _PATIENCE_SECONDS = 1.5, 0.005
#: But never more patient than this, in seconds.
_MOST_PATIENCE = 1.0
#: So few missing frames are asked for so many times in a row where the line is bad.
_FEW, _HURRIES = 4, 3
#: A copy that comes later than so many times the usual time answers no question: the board sends by itself as well.
_TOO_LATE = 3.0


class Receiver:
    """Order, duplicates, fragments and gaps of one direction. Holds at most a window of frames and one message.

    Args:
        longest: bytes of one message at most.
    """

    def __init__(self, longest: int) -> None:
        self.expected = 0
        """The next sequence number wanted."""
        self.duplicates = 0
        self.bad = False
        """The line damages much: questions and answers are lost more often than not."""
        self._longest = longest
        self._early: dict[int, Frame] = {}
        self._parts = bytearray()
        self._asked: dict[int, list[float]] = {}  # when, each time
        self._answered: dict[
            int, float
        ] = {}  # what was asked for more than once and has come since: when, the last time
        self._turn = 0.05
        self._heard = True
        self._silent = 0
        self._asked_at = -1.0
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

    def heard(self) -> None:
        """Something came, damaged or not: the line does not stand still."""
        self._heard, self._silent = True, 0

    def damaged(self) -> None:
        """Something that may have been a frame did not come through: perhaps the next new one."""
        self._suspect = True

    def wanted(self, now: float) -> bytes:
        """Numbers of frames that are to be sent again; what is named here counts as asked for now."""
        numbers = bytes(seq for seq, due in self._due() if now >= due)
        for seq in numbers:
            self._asked.setdefault(seq, []).append(now)
        if numbers and now >= self._asked_at + self._patience:
            # What stands still may be full of answers: each question that is not even followed by noise waits longer.
            self._silent += not self._heard
            self._heard, self._asked_at = False, now
        if self._suspect:
            self._suspect = False
            after = self._highest()
            if (after - self.expected) % SEQ_COUNT < WINDOW:
                numbers += bytes((after,))
        return numbers

    def deadline(self) -> float | None:
        """When a missing frame is to be asked for (again); None when none is missing."""
        times = [due for _, due in self._due()]
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
            if (asked_last := self._answered.get(frame.seq)) is not None:
                self._learn_at_least(now - asked_last)
            return []
        self._answered.pop(frame.seq, None)
        if (asked := self._asked.pop(frame.seq, None)) is not None:
            if len(asked) == 1:
                self._turn += (now - asked[0] - self._turn) / 4
            else:
                self._answered[frame.seq] = asked[-1]
                self._learn_at_least(now - asked[-1])
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

    def _due(self) -> list[tuple[int, float]]:
        """When to ask for each missing frame (again).

        While a few hold up all others on a bad line, it is idle: then each is asked for some times in a row.
        """
        missing = self._missing()
        patience = self._patience
        soon = patience / _HURRIES if self.bad and not self._silent and len(missing) <= _FEW else patience
        times = []
        for seq in missing:
            asked = self._asked.get(seq)
            wait = soon if asked and len(asked) % _HURRIES else patience
            times.append((seq, asked[-1] + wait if asked else 0.0))
        return times

    @property
    def _patience(self) -> float:
        patience = self._turn * _PATIENCE_FACTOR + _PATIENCE_SECONDS
        return min(patience * 2.0 ** min(self._silent, 10), _MOST_PATIENCE)

    def _learn_at_least(self, seconds: float) -> None:
        """An answer took so long or longer: which of several questions it answers is not known.

        Were it taken for one to the first, each question that a bad line loses would make the next wait longer, until
        hardly any is asked. Were it always taken for one to the last, nothing would be learnt of a line that stands
        still and then brings all answers together; but then there are copies, and each tells a little more.
        """
        if self._turn < seconds <= self._turn * _TOO_LATE:
            self._turn += (seconds - self._turn) / 2

    def _highest(self) -> int:
        """The number after the highest that is here."""
        ahead = max(((seq - self.expected) % SEQ_COUNT + 1 for seq in self._early), default=0)
        return (self.expected + ahead) % SEQ_COUNT

    def _missing(self) -> list[int]:
        ahead = (self._highest() - self.expected) % SEQ_COUNT
        return [seq for i in range(ahead) if (seq := (self.expected + i) % SEQ_COUNT) not in self._early]
