"""Joins the two segments in which a board writes a long frame, and sets apart what a program prints between them."""

from __future__ import annotations

from bridge.wire.frame import PART, Codec, Frame, Kind
from bridge.wire.unframed import reads_clean

#: A first part that damage has made so many bytes shorter or longer is known by its length still.
_NEAR = 2


def begins_frame(segment: bytes) -> bool:
    """True for the first part of a frame to the host, perhaps with text behind it.

    The check is at the end of the second part: so this looks at nothing but the length, and at the header if there
    may be text.
    """
    return len(segment) >= PART - _NEAR and (len(segment) <= PART + _NEAR or has_header(segment))


def has_header(segment: bytes) -> bool:
    """True if a segment begins like a frame to the host that carries something; a piece of text seldom does."""
    head = segment[1:6].replace(segment[:1], b"\0")
    if len(head) < 5:
        return False
    ack, kind = head[0], head[3] if head[0] & 32 else head[1]
    return ack < 64 and kind >> 5 in (Kind.LAST, Kind.MORE)


def joined(codec: Codec, first: bytes, segment: bytes) -> Frame | None:
    """The frame in the segment that began one and the next segment, or None when they are no frame together."""
    return codec.decode(first[:PART] + segment) if len(first) >= PART else None


class Parts:
    """Reads the segments of a line: frames, whole or in two parts, and what is none.

    Args:
        codec: of this epoch.
        to_host: reads what a board says; frames to a board are never in parts.
    """

    def __init__(self, codec: Codec, *, to_host: bool) -> None:
        self._codec = codec
        self._to_host = to_host
        self._first = b""

    @property
    def waiting(self) -> bool:
        """What may be the first part of a frame has come, and the next segment will tell."""
        return bool(self._first)

    def completes(self, segment: bytes) -> bool:
        """True if a segment is a frame, or the second part of the one that waits."""
        return self._joined(segment) is not None or self._whole(segment) is not None

    def take(self, segment: bytes) -> list[tuple[bytes, Frame | None]]:
        """What a segment is, and what waited for it, in order: segments that are no frames, and frames with all
        their bytes. Nothing, when more must come to tell.

        Args:
            segment: what stood between two NULs. It may be empty.
        """
        first = self._first
        if (frame := self._joined(segment)) is not None:
            text = self.flush(PART)
            return [*text, (first[:PART] + segment, frame)]
        if not segment:
            return []
        if (frame := self._whole(segment)) is not None:
            return [*self.flush(), (segment, frame)]
        if self._to_host and begins_frame(segment):
            before = self.flush()
            self._first = segment
            return before
        if first and len(first) <= PART + _NEAR:
            # One frame, and damage somewhere in it. If both were printed, they stand together as well.
            self._first = b""
            return [(first + segment, None)]
        return [*self.flush(), (segment, None)]

    def flush(self, start: int = 0) -> list[tuple[bytes, Frame | None]]:
        """Give up what waits, from byte `start` on: it is no frame.

        What was printed behind a first part whose frame is damaged stands apart from that still.
        """
        first, self._first = self._first[start:], b""
        if not start and len(first) > PART + _NEAR and not reads_clean(first):
            return [(first[:PART], None), (first[PART:], None)]
        return [(first, None)] if first else []

    def _joined(self, segment: bytes) -> Frame | None:
        return joined(self._codec, self._first, segment) if self._first else None

    def _whole(self, segment: bytes) -> Frame | None:
        # With bytes to spare for a second part it is no frame yet, though its check may pass by chance.
        if self._to_host and len(segment) == PART:
            return None
        return self._codec.decode(segment, to_host=self._to_host)
