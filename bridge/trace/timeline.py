"""A trace as a list of what happened: frames with their messages, text, damage, notes and faults, in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import BridgeError
from bridge.trace.file import Record, Trace
from bridge.trace.order import Order, carries, joined
from bridge.trace.replayed import Replay, Segment, SessionReplay
from bridge.wire.frame import Frame
from bridge.wire.messages import Direction, Message, decode

#: Text that comes in pieces within so many seconds is shown together.
TOGETHER = 0.05


@dataclass(frozen=True)
class Entry:
    """One thing that happened."""

    t: float
    """Seconds since the start."""
    mark: str
    """`>` sent, `<` received, `=` note, `!` fault."""
    what: str
    """"frame", "text", "damage", "note" or "fault"."""
    data: bytes = b""
    """Of text and damage."""
    frame: Frame | None = None
    again: bool = False
    """The frame had been seen before."""
    messages: tuple[Message | BridgeError, ...] = ()
    """The messages that this frame completed, or why they are none."""
    text: str = ""
    """Of notes and faults."""
    facts: dict[str, Any] = field(default_factory=dict)
    elided: bool = False


@dataclass
class Totals:
    """What a trace comes to, each direction by its mark."""

    seconds: float = 0.0
    sessions: int = 0
    frames: dict[str, int] = field(default_factory=lambda: {">": 0, "<": 0})
    again: dict[str, int] = field(default_factory=lambda: {">": 0, "<": 0})
    bytes: dict[str, int] = field(default_factory=lambda: {">": 0, "<": 0})
    damaged: int = 0
    elided: int = 0
    """Bytes of secrets that are not in the file."""


def timeline(trace: Trace, replay: Replay) -> tuple[list[Entry], Totals]:
    """What happened, and what it comes to.

    Args:
        trace: as it was read.
        replay: of this trace.
    """
    entries: list[Entry] = []
    at = 0
    for session in replay.sessions:
        entries += _texts(trace.records[at : session.first])
        entries += _session(trace.records, session)
        at = session.last
    entries += _texts(trace.records[at:])
    totals = Totals(
        seconds=max((record.t for record in trace.records), default=0.0),
        sessions=len(replay.sessions),
        damaged=replay.damaged,
        elided=sum(record.elided for record in trace.records),
    )
    for record in trace.records:
        if record.data:
            totals.bytes[record.mark] += len(record.data)
    for entry in entries:
        if entry.frame is not None:
            totals.frames[entry.mark] += 1
            totals.again[entry.mark] += entry.again
    return entries, totals


def _texts(records: tuple[Record, ...]) -> Iterator[Entry]:
    """What is outside of sessions: notes, and text line by line."""
    waiting: list[Record] = []

    def out() -> Iterator[Entry]:
        if waiting:
            data = b"".join(record.data for record in waiting)
            elided = any(record.elided for record in waiting)
            for line in data.splitlines(keepends=True):
                yield Entry(waiting[0].t, waiting[0].mark, "text", line, elided=elided)
            waiting.clear()

    for record in records:
        if waiting and (record.mark != waiting[0].mark or record.t - waiting[-1].t > TOGETHER):
            yield from out()
        if record.mark in "<>":
            waiting.append(record)
        else:
            yield _note(record)
    yield from out()


def _note(record: Record) -> Entry:
    return Entry(record.t, record.mark, "note" if record.mark == "=" else "fault", text=record.text, facts=record.facts)


def _session(records: tuple[Record, ...], session: SessionReplay) -> Iterator[Entry]:
    orders: dict[bool, Order[None]] = {False: Order(), True: Order()}
    segments = iter(session.segments)
    segment = next(segments, None)
    for i in range(session.first, session.last):
        record = records[i]
        if record.mark in "=!":
            yield _note(record)
        while segment is not None and segment.record == i:
            yield _segment(record.t, segment, orders[segment.to_host])
            segment = next(segments, None)


def _segment(t: float, segment: Segment, order: Order[None]) -> Entry:
    mark = "<" if segment.to_host else ">"
    frame = segment.frame
    if frame is None:
        return Entry(t, mark, "damage" if segment.damaged else "text", segment.data, elided=segment.elided)
    if not carries(frame):
        return Entry(t, mark, "frame", frame=frame)
    repeated = order.repeated
    _, whole = order.arrived(frame, None)
    direction = Direction.TO_HOST if segment.to_host else Direction.TO_BOARD
    found = tuple(_message(joined(each), direction) for each in whole)
    return Entry(t, mark, "frame", frame=frame, again=order.repeated > repeated, messages=found, elided=segment.elided)


def _message(data: bytes, direction: Direction) -> Message | BridgeError:
    try:
        return decode(data, direction)
    except BridgeError as error:
        return error
