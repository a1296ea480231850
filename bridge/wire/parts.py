"""Joins the two segments in which a board writes a long frame. What a program prints between them stands apart."""

from __future__ import annotations

from bridge.wire.frame import Codec, Frame

#: Bytes between the NULs of the first part: with them, `uart.write` takes them without holding the CPU for long.
PART = 124
#: Segments that may come between two parts, and their bytes, before the first is given up.
_MOST_SEGMENTS, _MOST_BYTES = 8, 2048


class Parts:
    """Reads the segments of a line: frames, whole or in two parts, and what is none.

    Args:
        codec: of this epoch.
        to_host: reads what a board says; frames to a board are never in parts.
    """

    def __init__(self, codec: Codec, *, to_host: bool) -> None:
        self._codec = codec
        self._to_host = to_host
        self._waiting: list[bytes] = []

    @property
    def waiting(self) -> bool:
        """What may be the first part of a frame has come, and perhaps text behind it, and nothing is decided yet."""
        return bool(self._waiting)

    def completes(self, segment: bytes) -> bool:
        """True if a segment is a frame, or the second part of the one that waits."""
        return self._read(segment) is not None

    def take(self, segment: bytes) -> list[tuple[bytes, Frame | None]]:
        """What a segment is, and what waited for it, in order: segments that are no frames, and frames with all
        their bytes. Nothing, when more must come to tell.
        """
        before: list[tuple[bytes, Frame | None]]
        frame = self._read(segment)
        if frame is not None:
            before = [(waited, None) for waited in self._waiting]
            whole = segment
            if self._waiting and self._codec.decode(segment, to_host=self._to_host) is None:
                whole = self._waiting[0] + segment
                del before[0]
            self._waiting.clear()
            return [*before, (whole, frame)]
        first = self._to_host and len(segment) == PART
        if first or not self._waiting:
            before = self.flush()
            if first:
                self._waiting.append(segment)
                return before
            return [*before, (segment, None)]
        self._waiting.append(segment)
        if len(self._waiting) > _MOST_SEGMENTS or sum(map(len, self._waiting)) > _MOST_BYTES:
            return self.flush()
        return []

    def flush(self) -> list[tuple[bytes, Frame | None]]:
        """Give up what waits: it is no frame."""
        waiting, self._waiting = self._waiting, []
        return [(segment, None) for segment in waiting]

    def _read(self, segment: bytes) -> Frame | None:
        frame = self._codec.decode(segment, to_host=self._to_host)
        if frame is None and self._waiting:
            frame = self._codec.decode(self._waiting[0] + segment, to_host=self._to_host)
        return frame
