"""Cuts what arrived in a trace into pieces to feed to a session, and says of each what the session sees end with it."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from bridge.trace.file import Record
from bridge.trace.order import carries
from bridge.wire.frame import Codec, Frame, Kind, Splitter
from bridge.wire.parts import Parts, begins_frame
from bridge.wire.session import FRAME_DELAY, TEXT_DELAY
from bridge.wire.unframed import reads_clean

#: The times of a trace are rounded to so many seconds.
_ROUNDED = 0.000002


@dataclass(frozen=True)
class Piece:
    """Bytes to feed."""

    data: bytes
    segments: tuple[tuple[bytes, Frame | None], ...] = ()
    """What is decided with the last of them: segments that are no frames, and frames with all their bytes."""
    quiet: bool = False
    """No frame has been tried for yet: the session got all of this at once, when the first one came."""


def cut(records: list[Record], codec: Codec, *, alone: bool) -> list[list[Piece]]:
    """What arrived, record by record.

    Args:
        records: of what arrived in a session.
        codec: of its frames.
        alone: leave out what the frames acknowledge.
    """
    cutter = _Cutter(codec, alone=alone)
    for i, record in enumerate(records):
        if i:
            cutter.silence(record.t - records[i - 1].t)
        *complete, rest = record.data.split(b"\0")
        for data in complete:
            cutter.add(i, data, 1)
            cutter.end(b"\0")
        if rest:
            cutter.add(i, rest, 0)
            cutter.limit()
    cutter.silence(inf)
    return cutter.pieces(len(records))


def without_ack(frame: Frame, codec: Codec, *, to_host: bool) -> bytes:
    """The bytes of a frame on the line, but that it acknowledges nothing."""
    # What asks for frames again names some that were never sent, too.
    bare = Frame(frame.kind, frame.seq, 0, payload=frame.payload) if carries(frame) else Frame(Kind.BARE, 0, 0)
    return codec.encode(bare, to_host=to_host)


@dataclass
class _Raw:
    """A segment as it is in the trace."""

    data: bytes
    places: list[tuple[int, int]]
    """Where its bytes are: number of a record, and how many, its NUL included."""
    nul: bytes
    """The NUL that ended it, if one did."""
    quiet: bool
    kept: bytes
    """What to feed in its place."""
    segments: list[tuple[bytes, Frame | None]]
    """What is decided with its end."""


class _Cutter:
    """Reads segments as a session does."""

    def __init__(self, codec: Codec, *, alone: bool) -> None:
        self._codec = codec
        self._alone = alone
        self._parts = Parts(codec, to_host=True)
        self._places: list[tuple[int, int]] = []
        self._segment = b""
        self._nuls = 0
        self._raws: list[_Raw] = []
        self._first: _Raw | None = None
        """The one that the parts have not decided about."""

    def add(self, record: int, data: bytes, nul: int) -> None:
        """Bytes of a segment, perhaps with the NUL that ends it."""
        self._places.append((record, len(data) + nul))
        self._segment += data
        self._nuls += nul

    def limit(self) -> None:
        """What came last is too long for a frame: it is handed out in pieces, as `Splitter` does."""
        while (over := len(self._segment) - Splitter.LIMIT) > 0:
            rest = self._segment[-over:]
            record, size = self._places.pop()
            self._segment = self._segment[:-over]
            self._places += [(record, size - over)] if size > over else []
            self.end(b"")
            self._segment, self._places = rest, [(record, over)]

    def silence(self, seconds: float) -> None:
        """So long nothing came."""
        seconds -= _ROUNDED
        over = seconds > FRAME_DELAY
        rest = self._segment
        if rest and seconds > TEXT_DELAY and (self._nuls >= 2 or seconds == inf):
            if over or self._parts.completes(rest) or (reads_clean(rest) and not begins_frame(rest)):
                self.end(b"")
        if over and self._first is not None:
            self._first.segments += self._parts.flush()
            self._first = None

    def end(self, nul: bytes) -> None:
        """The segment is whole, by a NUL or because nothing followed."""
        data = self._segment
        decided = self._parts.take(data)
        raw = _Raw(data, self._places, nul, self._nuls < 2, data, decided)
        self._raws.append(raw)
        self._segment, self._places = b"", []
        whole, frame = decided[-1] if decided else (b"", None)
        if self._alone and frame is not None:
            raw.kept = without_ack(frame, self._codec, to_host=True)[1:-1]
            if whole != data and self._first is not None:  # it is both of them; text between comes before
                self._first.kept = decided[0][0] if len(decided) > 1 else b""
        if not self._parts.waiting:
            self._first = None
        elif data:
            self._first = raw

    def pieces(self, count: int) -> list[list[Piece]]:
        """All of it, in so many records."""
        out: list[list[Piece]] = [[] for _ in range(count)]
        for raw in self._raws:
            kept = raw.kept + raw.nul
            at = 0
            for number, (record, size) in enumerate(raw.places, 1):
                last = number == len(raw.places)
                piece = kept[at:] if last else kept[at : at + size]
                out[record].append(Piece(piece, tuple(raw.segments) if last else (), raw.quiet))
                at += size
        return out
