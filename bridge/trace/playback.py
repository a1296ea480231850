"""Feeds the bytes of a trace to the parser again: what a session made of them then, it makes of them now.

A fault that was captured so becomes a test:

    replayed = bridge.trace.replay("fault.trace")
    assert replayed.damaged == 3 and b"PANIC" not in replayed.console

The bytes that arrived go to a session of the host, those that were written to one of the board, in their pieces and at
their times. Neither session sends anything, so what frames acknowledge is taken off them: a session that has sent
nothing would refuse it. Everything else is as it came over the line, damage too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from bridge.errors import UsageError
from bridge.trace.file import Record, Trace, read
from bridge.wire.check import CheckKind
from bridge.wire.events import ConsoleText, Failed, MessageReceived, SessionEvent
from bridge.wire.frame import Codec, Frame
from bridge.wire.messages import Message
from bridge.wire.session import Session

#: A session takes what came before a silence of so many seconds for all that will come (`TEXT_DELAY` of the session).
SILENCE = 0.040
#: How often a session without anything to do is asked whether it has, in seconds; and seldom, when nothing comes.
_OFTEN, _SELDOM = 0.020, 0.5


@dataclass(frozen=True)
class Segment:
    """What stood between two NULs, or before a silence."""

    record: int
    """The record of the trace with which it was whole."""
    to_host: bool
    data: bytes
    frame: Frame | None
    """As it was decoded; None when it is none."""
    damaged: bool = False
    """The session counted it as damage."""
    elided: bool = False
    """Bytes of it were exchanged when the trace was written."""


@dataclass(frozen=True)
class Event:
    """Something that a session reported."""

    t: float
    to_host: bool
    """The host's session reported it: it came from the board. Else it is what the host sent."""
    what: SessionEvent


@dataclass
class SessionReplay:
    """One session, played again."""

    epoch: int
    check: str
    """Kind of check: "crc" or "sum"."""
    first: int
    """Its first record in the trace."""
    last: int
    """The record behind its last one."""
    damaged: int = 0
    """Segments that the host's session counted as damaged."""
    segments: list[Segment] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @property
    def messages(self) -> list[Message]:
        """What the board sent, in order."""
        return [each.what.message for each in self.events if each.to_host and isinstance(each.what, MessageReceived)]

    @property
    def sent(self) -> list[Message]:
        """What the host sent, in order."""
        return [
            each.what.message for each in self.events if not each.to_host and isinstance(each.what, MessageReceived)
        ]

    @property
    def console(self) -> bytes:
        """What the board printed beside its frames."""
        return b"".join(each.what.data for each in self.events if each.to_host and isinstance(each.what, ConsoleText))

    @property
    def failure(self) -> Exception | None:
        """With what the host's session ended, if it did not end well."""
        return next((each.what.error for each in self.events if each.to_host and isinstance(each.what, Failed)), None)


@dataclass(frozen=True)
class Replay:
    """A trace, played again; a board that restarts has a session for each boot."""

    sessions: tuple[SessionReplay, ...]

    @property
    def messages(self) -> list[Message]:
        """What the board sent in all sessions, in order."""
        return [message for each in self.sessions for message in each.messages]

    @property
    def sent(self) -> list[Message]:
        """What the host sent in all sessions, in order."""
        return [message for each in self.sessions for message in each.sent]

    @property
    def console(self) -> bytes:
        """What the board printed in all sessions."""
        return b"".join(each.console for each in self.sessions)

    @property
    def damaged(self) -> int:
        """Segments that were counted as damaged."""
        return sum(each.damaged for each in self.sessions)


def replay(trace: str | Path | Trace) -> Replay:
    """Feed a trace to new sessions.

    Args:
        trace: the file, or what `read` made of it.

    Returns:
        What the sessions reported and counted; none where there was no agent on the board.

    Raises:
        UsageError: the file cannot be read or is no trace.
    """
    whole = trace if isinstance(trace, Trace) else read(trace)
    return Replay(tuple(_play(whole, *span) for span in _spans(whole)))


def _spans(trace: Trace) -> Iterator[tuple[Codec, Record, int, int]]:
    """The codec of each session, the note that tells it, its first record and the one behind its last."""
    notes = [i for i, record in enumerate(trace.records) if record.mark == "=" and record.text == "session"]
    begin = 0
    for at, following in pairwise([*notes, len(trace.records)]):
        codec = _codec(trace, trace.records[at])
        first = begin + _start(trace.records[begin:following], codec, at - begin)
        # The host wrote something that is no frame: it is at the prompt again.
        last = next((i for i in range(first, following) if _is_typed(trace.records[i], codec)), following)
        yield codec, trace.records[at], first, last
        begin = last


def _codec(trace: Trace, note: Record) -> Codec:
    try:
        return Codec(CheckKind(note.facts["check"]), int(note.facts["epoch"]))
    except (KeyError, TypeError, ValueError):
        raise UsageError(
            f"{trace.path} is damaged: a session in it has no check or epoch", remedy="Trace again."
        ) from None


def _start(records: tuple[Record, ...], codec: Codec, note: int) -> int:
    """Where a session begins: behind the last line that the host typed before the first frame."""
    stream = b""
    typed = 0
    for i, record in enumerate(records):
        if record.mark == ">" and _is_typed(record, codec):
            typed, stream = i + 1, b""
        elif record.mark in "<>":
            stream = stream + record.data if record.mark == "<" else record.data
            if any(codec.decode(each, to_host=record.mark == "<") for each in stream.split(b"\0") if each):
                return typed
            stream = stream[stream.rfind(b"\0") + 1 :]
    return note


def _is_typed(record: Record, codec: Codec) -> bool:
    if record.mark != ">":
        return False
    return any(codec.decode(each, to_host=False) is None for each in record.data.split(b"\0") if each)


def _play(trace: Trace, codec: Codec, note: Record, first: int, last: int) -> SessionReplay:
    baud, damage = note.facts.get("baud", 115200), note.facts.get("damage", 0.0005)
    played = SessionReplay(codec.epoch, codec.kind.value, first, last)
    host = _Player(Session(codec, baud=baud, damage=damage, name=trace.path), played, to_host=True)
    board = _Player(Session(codec, baud=baud, board=True, name=trace.path), played, to_host=False)
    records = list(enumerate(trace.records))[first:last]
    pieces = iter(_neutral([record for _, record in records if record.mark == "<"], codec))
    for i, record in records:
        host.advance(record.t)
        if record.mark == "<":
            for piece in next(pieces):
                host.feed(piece, i, record)
        elif record.mark == ">":
            for data in record.data.split(b"\0"):
                if data:
                    kept, frame = _without_ack(data, codec, to_host=False)
                    board.feed(_Piece(kept + b"\0", data, frame), i, record)
    if last > first:
        host.advance(trace.records[last - 1].t + SILENCE)
    played.damaged = host.session.damaged
    return played


@dataclass(frozen=True)
class _Piece:
    """Bytes to feed; with the last of a segment, what the whole of it was."""

    data: bytes
    segment: bytes = b""
    frame: Frame | None = None
    quiet: bool = False
    """No frame has been tried for yet: the session got all of this at once, when the first one came."""


def _neutral(records: list[Record], codec: Codec) -> list[list[_Piece]]:
    """What arrived, record by record, without what its frames acknowledge."""
    out: list[list[_Piece]] = [[] for _ in records]
    pending: list[tuple[int, int]] = []  # record, bytes of it
    segment = b""
    nuls = 0

    def end(nul: bytes) -> None:
        nonlocal segment
        kept, frame = _without_ack(segment, codec, to_host=True) if segment else (b"", None)
        kept += nul
        at = 0
        for number, (record, size) in enumerate(pending, 1):
            last = number == len(pending)
            piece = kept[at:] if last else kept[at : at + size]
            out[record].append(_Piece(piece, segment if last else b"", frame if last else None, quiet=nuls < 2))
            at += size
        pending.clear()
        segment = b""

    for i, record in enumerate(records):
        if segment and nuls >= 2 and record.t - records[i - 1].t >= SILENCE:
            end(b"")
        *complete, rest = record.data.split(b"\0")
        for data in complete:
            pending.append((i, len(data) + 1))
            segment += data
            nuls += 1
            end(b"\0")
        if rest:
            pending.append((i, len(rest)))
            segment += rest
    if segment:
        end(b"")
    return out


def _without_ack(segment: bytes, codec: Codec, *, to_host: bool) -> tuple[bytes, Frame | None]:
    frame = codec.decode(segment, to_host=to_host)
    if frame is None:
        return segment, None
    bare = Frame(frame.kind, frame.seq, 0, payload=frame.payload)
    return codec.encode(bare, to_host=to_host).strip(b"\0"), frame


class _Player:
    """A session that is fed, and what it reports."""

    def __init__(self, session: Session, played: SessionReplay, *, to_host: bool) -> None:
        self.session = session
        self._played = played
        self._to_host = to_host
        self._now: float | None = None

    def feed(self, piece: _Piece, number: int, record: Record) -> None:
        """Bytes come."""
        before = self.session.damaged
        if not piece.quiet:
            self._now = record.t
        self.session.receive_data(piece.data, record.t)
        if piece.segment:
            damaged = self.session.damaged > before
            self._played.segments.append(
                Segment(number, self._to_host, piece.segment, piece.frame, damaged, bool(record.elided))
            )
        self._collect(record.t)

    def advance(self, now: float) -> None:
        """Time goes on. The session is asked at its deadlines, and else from time to time: a deadline to send an
        acknowledgement stays for ever, as nothing is sent."""
        if self._now is None:
            return
        start = at = self._now
        while (due := self.session.deadline()) is not None and due <= now:
            at = due if due > at else at + (_OFTEN if at - start < 2 else _SELDOM)
            if at > now:
                break
            before = self.session.damaged
            self.session.handle_timeout(at)
            if self.session.damaged > before:
                self._mark_last()
            self._collect(at)
        self._now = now

    def _mark_last(self) -> None:
        """What came before the silence was damage."""
        segments = self._played.segments
        for i in reversed(range(len(segments))):
            if segments[i].to_host == self._to_host:
                segments[i] = replace(segments[i], damaged=True)
                return

    def _collect(self, t: float) -> None:
        while (event := self.session.next_event()) is not None:
            self._played.events.append(Event(t, self._to_host, event))
