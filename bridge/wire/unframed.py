"""What stands between NULs and is no frame: console text, or a frame that the line has damaged.

Text that reads as such is delivered at once. What does not is kept until something explains it: a frame that came again
and resembles it, or a frame that is missing, or a restart at a raised speed of the line, where the board's own text at
its console's speed is noise. What nothing explains was printed. Only where frames have been damaged a moment ago is it
taken for one more of those whose loss leaves no trace, such as a bare acknowledgement.
"""

from __future__ import annotations

from collections import deque
from enum import Enum, auto

from bridge.wire.frame import Codec, Frame, Kind
from bridge.wire.liveness import is_text
from bridge.wire.noise import end_of_lines, is_noise
from bridge.wire.resemblance import resembles

#: After a frame that was certainly damaged, what nothing explains is damage for so long.
BAD_SECONDS = 10.0
#: What is kept is explained after so long, or nothing explains it.
PATIENCE = 1.0
#: Bytes and segments kept at most. A program that prints more than this at once has printed it.
_MOST_BYTES, _MOST_SEGMENTS = 4096, 64
#: Noise of a board that has restarted is kept until that is known for sure, a second later.
_MOST_NOISE = 32_768
#: On a bad line a short piece of a damaged frame may read as text by chance.
_SHORT = 12


class _Reads(Enum):
    """How a segment reads."""

    CLEAN = auto()
    """All of it is text: nothing that was a frame ever looks so, for its keys and its check do not."""
    MOSTLY = auto()
    """A garbled print, or a damaged frame whose payload is text."""
    BINARY = auto()
    NOISE = auto()
    """Binary, and as what a console slower than the line says."""


class Unframed:
    """Sorts segments that are no frames.

    Args:
        codec: of this epoch.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._kept: deque[tuple[bytes, float, _Reads]] = deque()
        self._size = 0
        self._ready: deque[bytes] = deque()
        self._bad_until = -1.0
        self.slower = 1.0
        """How many times as fast as the console the line is."""

    def came(self, segment: bytes, now: float) -> bool:
        """A segment that is no frame. True if it may have been one."""
        lines = end_of_lines(segment)
        if lines and is_noise(segment[lines:], self.slower) and _reads(segment[:lines]) is _Reads.CLEAN:
            self.came(segment[:lines], now)
            segment = segment[lines:]
        reads = _reads(segment)
        if now <= self._bad_until and b"\n" not in segment and (reads is _Reads.MOSTLY or len(segment) <= _SHORT):
            reads = _Reads.BINARY
        if reads is _Reads.CLEAN and not self._kept:
            self._ready.append(segment)
            return False
        if reads is _Reads.BINARY and now <= self._bad_until:
            return True
        before = self._kept[-1] if self._kept and self._kept[-1][2] is _Reads.NOISE else None
        if (reads is not _Reads.CLEAN or before is not None) and is_noise(segment, self.slower):
            if before is not None:
                self._kept.pop()
                segment = before[0] + segment
                self._size -= len(before[0])
            reads = _Reads.NOISE
        self._kept.append((segment, now, reads))  # the order of what is printed is kept too
        self._size += len(segment)
        most = _MOST_BYTES if before is None else _MOST_NOISE
        if self._size > most or len(self._kept) > _MOST_SEGMENTS:
            self.settle()
        return reads is not _Reads.CLEAN

    def frame_came(self, frame: Frame, now: float, *, early: bool, gap: bool, answer_seconds: float) -> None:
        """A frame: it may explain what is kept, or show that nothing was lost.

        Args:
            early: frames before this one are missing.
            gap: after this one some are still missing.
            answer_seconds: how long the board takes to answer. A bare frame so long after the last segment is the
                answer to the poll that followed it, and would have been a frame with payload if one waited.
        """
        if early:
            self._bad_until = now + BAD_SECONDS
        if not self._kept:
            return
        if frame.kind is not Kind.BARE:
            for entry in [entry for entry in self._kept if resembles(entry[0], frame, self._codec)]:
                self._bad_until = now + BAD_SECONDS
                self._drop(entry)
        if now <= self._bad_until:
            for entry in [entry for entry in self._kept if entry[2] in (_Reads.BINARY, _Reads.NOISE)]:
                self._drop(entry)
        if not gap and self._kept and (frame.kind is not Kind.BARE or now >= self._kept[-1][1] + answer_seconds):
            self.settle()

    def deadline(self) -> float | None:
        """When to call `settle`, in seconds; None for never."""
        return self._kept[-1][1] + PATIENCE if self._kept else None

    @property
    def asking(self) -> bool:
        """Something is kept that an answer of the board would explain. Where damage is usual, none is asked for."""
        return any(reads is not _Reads.CLEAN and at > self._bad_until for _, at, reads in self._kept)

    def settle(self, *, restarted: bool = False) -> None:
        """Nothing explains what is kept: it was printed.

        Args:
            restarted: the board has restarted, which explains noise.
        """
        self._ready.extend(segment for segment, _, reads in self._kept if not (restarted and reads is _Reads.NOISE))
        self._kept.clear()
        self._size = 0

    def next_text(self) -> bytes | None:
        """The next piece of console text, or None."""
        return self._ready.popleft() if self._ready else None

    def _drop(self, entry: tuple[bytes, float, _Reads]) -> None:
        self._kept.remove(entry)
        self._size -= len(entry[0])


def reads_clean(segment: bytes) -> bool:
    """True if all of it is what a console shows."""
    return _reads(segment) is _Reads.CLEAN


def _reads(segment: bytes) -> _Reads:
    try:
        text = segment.decode()
    except UnicodeDecodeError:
        return _Reads.MOSTLY if is_text(segment) else _Reads.BINARY
    if all(c.isprintable() or c in "\t\r\n\x1b" for c in text):
        return _Reads.CLEAN
    return _Reads.MOSTLY if is_text(segment) else _Reads.BINARY
