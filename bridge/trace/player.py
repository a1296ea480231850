"""Plays one session of a trace: the bytes of then, to the sessions of now.

The host's session sends what the host sent then, so that what the board's frames acknowledge makes sense to it. A
session that sends otherwise than that of then (this program has changed, or the trace lacks a part) may be told of
frames that it has not sent, and would refuse them as damaged; then all is played once more, without what frames
acknowledge. Nothing that arrives is changed else, and damage least of all.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.errors import BridgeError
from bridge.trace.elision import SILENCE
from bridge.trace.file import Record, Trace
from bridge.trace.order import Order, Part, carries, joined
from bridge.trace.recut import Piece, cut, without_ack
from bridge.trace.replayed import Event, Segment, SessionReplay
from bridge.wire.events import Failed
from bridge.wire.frame import Codec
from bridge.wire.messages import Direction, Message, Tune, decode
from bridge.wire.session import Session
from bridge.wire.unframed import reads_clean

#: How often a session is asked whether it has something to do whose deadline has passed and stays, in seconds; and
#: how often when nothing comes for long.
_OFTEN, _SELDOM = 0.020, 0.5
#: What is written so many seconds after something came, or was due, is written because of it; and the trace's times are
#: rounded to so many.
_AT_ONCE, _EARLY = 0.0005, 0.000002
#: How long a session that plays alone is asked when nothing comes, in seconds: longer than it looks at boot text.
_PATIENT = 2.0


def play(trace: Trace, codec: Codec, note: Record, first: int, last: int) -> SessionReplay:
    """Play a session.

    Args:
        trace: the whole of it.
        codec: of the session's frames.
        note: the record that tells of the session.
        first: its first record.
        last: the record behind its last one.
    """
    try:
        return _play(trace, codec, note, first, last, alone=False)
    except _Refused:
        return _play(trace, codec, note, first, last, alone=True)


class _Refused(Exception):
    """The session of now cannot follow that of then."""


def _play(trace: Trace, codec: Codec, note: Record, first: int, last: int, *, alone: bool) -> SessionReplay:
    baud, damage = note.facts.get("baud", 115200), note.facts.get("damage", 0.0005)
    played = SessionReplay(codec.epoch, codec.kind.value, first, last, alone)
    host = _Player(Session(codec, baud=baud, damage=damage, name=trace.path), played, to_host=True, alone=alone)
    board = _Player(Session(codec, baud=baud, board=True, name=trace.path), played, to_host=False, alone=True)
    records = list(enumerate(trace.records))[first:last]
    offers = {} if alone else _offers(records, codec)
    pieces = iter(cut([record for _, record in records if record.mark == "<"], codec, alone=alone))
    for i, record in records:
        if record.mark == "=" and "baud" in record.facts:
            # A board that restarts is at its console's speed again, where it was found: at another it is noise.
            host.session.set_baud(record.facts["baud"])
            host.session.expect_boot_noise(record.facts["baud"] / baud)
        elif record.mark == "<":
            host.advance(record.t - _EARLY)  # what comes when a deadline passes comes first
            for piece in next(pieces):
                host.feed(piece, i, record)
            following = trace.records[i + 1] if i + 1 < last else None
            if following is None or following.mark != ">" or following.t > record.t + _AT_ONCE:
                host.write(record.t)
        elif record.mark == ">":
            # What it wrote, it wrote at once: when something came, when a deadline passed, or something was to be sent.
            host.advance(record.t - _AT_ONCE)
            host.send(offers.get(i, ()), record.t)
            for data in record.data.split(b"\0"):
                frame = codec.decode(data, to_host=False)
                if frame is not None:
                    board.feed(Piece(without_ack(frame, codec, to_host=False), ((data, frame),)), i, record)
    if records:  # what came last, a session takes for whole a little later
        host.finish(trace.records[last].t if last < len(trace.records) else trace.records[-1].t + 2 * SILENCE)
    played.damaged = host.session.damaged
    return played


def _offers(records: list[tuple[int, Record]], codec: Codec) -> dict[int, list[Message]]:
    """The messages that the host sent, by the record in which each began."""
    offers: dict[int, list[Message]] = {}
    order: Order[int] = Order()
    for i, record in records:
        for data in record.data.split(b"\0") if record.mark == ">" else ():
            frame = codec.decode(data, to_host=False)
            for parts in order.arrived(frame, i)[1] if frame is not None and carries(frame) else ():
                message = _message(parts)
                if not isinstance(message, Tune):  # those a session sends by itself
                    offers.setdefault(parts[0].copies[0], []).append(message)
    return offers


def _message(parts: list[Part[int]]) -> Message:
    try:
        return decode(joined(parts), Direction.TO_BOARD)
    except BridgeError as error:
        raise _Refused from error


class _Player:
    """A session that is fed, and what it reports. One that plays alone never sends."""

    def __init__(self, session: Session, played: SessionReplay, *, to_host: bool, alone: bool) -> None:
        self.session = session
        self._played = played
        self._to_host = to_host
        self._alone = alone
        self._now: float | None = None
        self._fed = 0.0
        self._failed = False

    def feed(self, piece: Piece, number: int, record: Record) -> None:
        """Bytes come."""
        before = self.session.damaged
        self._fed = record.t
        if not piece.quiet:
            self._now = record.t
        self.session.receive_data(piece.data, record.t)
        damage = self.session.damaged - before
        none = [data for data, frame in piece.segments if frame is None]
        if not self._alone and len(none) < len(piece.segments) and (damage > len(none) or self._failed):
            raise _Refused
        for data, frame in piece.segments:
            damaged = damage > 0 and (frame is None and (damage >= len(none) or not reads_clean(data)))
            self._played.segments.append(Segment(number, self._to_host, data, frame, damaged, bool(record.elided)))
        if damage and not piece.segments:
            self._mark_last()  # what was too long for a frame ends with the first byte behind it
        self._collect(record.t)

    def send(self, messages: list[Message] | tuple[()], now: float) -> None:
        """The session writes now; these messages are new."""
        if self._alone:
            return
        if (due := self.session.deadline()) is not None and due <= now + _EARLY:
            self.session.handle_timeout(max(due, now))
        try:
            for message in messages:
                self.session.send(message, now)
        except BridgeError as error:
            raise _Refused from error
        self._collect(now)
        self.write(now)

    def write(self, now: float) -> None:
        """Take what the session writes, and leave it: it is in the trace."""
        if not self._alone:
            self.session.data_to_send(now)

    def advance(self, now: float) -> None:
        """Time goes on. The session is asked at its deadlines, and else from time to time: where nothing is sent, a
        deadline to send an acknowledgement stays for ever."""
        if self._now is None:
            return
        start = at = self._now
        # One that asks for signs of life without sending would find the other side dead.
        end = min(now, self._fed + _PATIENT) if self._alone else now
        while (due := self.session.deadline()) is not None and due <= end:
            if due <= at:
                due = at + (_OFTEN if at - start < 2 else _SELDOM)
                if at < self._fed + SILENCE < due:
                    due = self._fed + SILENCE
            at = due
            if at > end:
                break
            before = self.session.damaged
            self.session.handle_timeout(at)
            if self.session.damaged > before:
                self._mark_last()
            self._collect(at)
            self.write(at)
        self._now = max(now, self._now)

    def finish(self, now: float) -> None:
        """All has been fed; the time goes on to the end."""
        if self._now is None:
            self._now = self._fed
        self.advance(now)

    def _mark_last(self) -> None:
        """What came before the silence was damage."""
        segments = self._played.segments
        for i in reversed(range(len(segments))):
            if segments[i].to_host == self._to_host:
                segments[i] = replace(segments[i], damaged=True)
                return

    def _collect(self, t: float) -> None:
        while (event := self.session.next_event()) is not None:
            self._failed = self._failed or isinstance(event, Failed)
            self._played.events.append(Event(t, self._to_host, event))
