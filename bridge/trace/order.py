"""Frames of one direction, as a listener at the line sees them: which are new, which repeat, what they join to.

This is all that a trace assumes of the link beyond `Codec`: frames end with NUL; those of the kinds LAST and MORE carry
messages and are numbered modulo `SEQ_COUNT` from 0 on, at most `WINDOW` are under way, and a message is the payloads up
to a frame of kind LAST.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bridge.wire.frame import SEQ_COUNT, WINDOW, Frame, Kind

T = TypeVar("T")


def carries(frame: Frame) -> bool:
    """True if a frame is numbered and carries a piece of a message."""
    return frame.kind in (Kind.LAST, Kind.MORE)


@dataclass
class Part(Generic[T]):
    """A frame's payload and every copy of it that was seen."""

    index: int
    """Number of the frame in its direction, from 0 on."""
    kind: Kind
    payload: bytes
    copies: list[T] = field(default_factory=list)
    """What the caller gave with each copy, until it takes them."""
    kept: bytes | None = None
    """For the caller: what the payload has become."""
    torn: bool = False
    """What it belongs to has been given up in part."""


class Order(Generic[T]):
    """Puts the frames of one direction in order and joins them to messages."""

    def __init__(self) -> None:
        self.expected = 0
        """Frames that have come in order, since the start."""
        self.repeated = 0
        """Copies of frames that had been seen before."""
        self.strange = 0
        """Frames with an old number and a payload that never had it."""
        self._early: dict[int, Part[T]] = {}
        self._message: list[Part[T]] = []
        self._recent: dict[int, Part[T]] = {}

    @property
    def open(self) -> list[Part[T]]:
        """Parts of messages that are not whole yet."""
        return [*self._message, *self._early.values()]

    def arrived(self, frame: Frame, copy: T) -> tuple[Part[T] | None, list[list[Part[T]]]]:
        """Take a frame that `carries` something.

        Args:
            frame: as it was decoded.
            copy: kept in the part's `copies`.

        Returns:
            The part it is a copy of, or None if nothing is known of it; and the messages that are whole now, in order.
        """
        ahead = (frame.seq - self.expected) % SEQ_COUNT
        known = self._recent.get(frame.seq)
        if ahead >= WINDOW or frame.seq in self._early:
            self.repeated += 1
            if known is None or known.payload != frame.payload:
                self.strange += 1
                return None, []
            known.copies.append(copy)
            return known, []
        part = Part(self.expected + ahead, frame.kind, frame.payload, [copy])
        self._early[frame.seq] = self._recent[frame.seq] = part
        whole = []
        while (ready := self._early.pop(self.expected % SEQ_COUNT, None)) is not None:
            self.expected += 1
            self._message.append(ready)
            if ready.kind is Kind.LAST:
                whole.append(self._message)
                self._message = []
        return part, whole

    def lacks(self, ack: int) -> bool:
        """True if the other side acknowledges what has not come here; `ack` is the frame it waits for."""
        return 0 < (ack - self.expected) % SEQ_COUNT <= WINDOW

    def missed(self, ack: int) -> list[Part[T]]:
        """The other side acknowledges; what it has and this has not will not come again, and is given up.

        Args:
            ack: number of the frame that the other side waits for.

        Returns:
            The parts that waited for what is given up. The next message to become whole may lack its beginning.
        """
        if not self.lacks(ack):
            return []
        self.expected += (ack - self.expected) % SEQ_COUNT
        waiting = [*self._message, *(part for part in self._early.values() if part.index < self.expected)]
        self._early = {seq: part for seq, part in self._early.items() if part.index >= self.expected}
        self._message = [Part(self.expected, Kind.MORE, b"", kept=b"", torn=True)]
        return waiting

    def begins(self, part: Part[T]) -> bool:
        """True if it is known that a message begins with this part."""
        before = self._recent.get((part.index - 1) % SEQ_COUNT)
        return part.index == 0 or (before is not None and before.index == part.index - 1 and before.kind is Kind.LAST)


def joined(message: list[Part[T]]) -> bytes:
    """The bytes of a message."""
    return b"".join(part.payload for part in message)
