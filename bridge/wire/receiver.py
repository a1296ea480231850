"""The receiving half of a session: puts frames in order, joins fragments, says what to acknowledge."""

from __future__ import annotations

from bridge.errors import RemoteProtocolError
from bridge.wire.frame import SEQ_COUNT, WINDOW, Frame, Kind
from bridge.wire.messages import MAX_MESSAGE


class Receiver:
    """Order, duplicates and fragments of one direction. Holds at most a window of frames and one message."""

    def __init__(self) -> None:
        self.expected = 0
        """The next sequence number wanted."""
        self.duplicates = 0
        self._early: dict[int, Frame] = {}
        self._parts = bytearray()

    @property
    def sack(self) -> int:
        """Bit i: frame `expected + 1 + i` is here already."""
        return sum(1 << ((seq - self.expected - 1) % SEQ_COUNT) for seq in self._early)

    @property
    def gap(self) -> bool:
        """A later frame is here and an earlier one is not."""
        return bool(self._early)

    def arrived(self, frame: Frame) -> list[bytes]:
        """Take a frame with payload; returns the messages that it completes, in order.

        Raises:
            RemoteProtocolError: the fragments of a message do not end.
        """
        distance = (frame.seq - self.expected) % SEQ_COUNT
        if distance > WINDOW or frame.seq in self._early:
            self.duplicates += 1
            return []
        self._early[frame.seq] = frame
        messages = []
        while (ready := self._early.pop(self.expected, None)) is not None:
            self.expected = (self.expected + 1) % SEQ_COUNT
            self._parts += ready.payload
            if len(self._parts) > MAX_MESSAGE:
                raise RemoteProtocolError(f"A message on the link is longer than {MAX_MESSAGE} bytes")
            if ready.kind is Kind.LAST:
                messages.append(bytes(self._parts))
                self._parts.clear()
        return messages
