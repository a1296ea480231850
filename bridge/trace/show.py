"""A trace in lines that a person reads, or as objects for programs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bridge.errors import BridgeError
from bridge.trace.file import Trace
from bridge.trace.order import carries
from bridge.trace.playback import replay
from bridge.trace.timeline import Entry, Totals, timeline
from bridge.wire.frame import Kind
from bridge.wire.messages import Message, describe

#: Bytes of damage that are shown.
_SHOWN = 24
_NAMES = {"\r": "\\r", "\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
_MANY = re.compile(rb"(.{1,4}?)\1{9,}", re.DOTALL)


def lines(trace: Trace) -> Iterator[str]:
    """The trace, a line for each thing that happened, and a summary. `>` sent, `<` received, `=` note, `!` fault."""
    entries, totals = timeline(trace, replay(trace))
    header = trace.header
    yield f"= trace of {header['port']}, started {header.get('started', '?')}, bridge {header.get('bridge', '?')}"
    for entry in entries:
        yield from _lines(entry)
    if trace.cut:
        yield "= the last line of the file is not whole: whoever wrote it was stopped"
    yield from _summary(totals)


def objects(trace: Trace) -> Iterator[dict[str, Any]]:
    """The same as objects: one for the header, one for each thing that happened, one for the summary."""
    entries, totals = timeline(trace, replay(trace))
    yield {"what": "trace", **trace.header, "cut": trace.cut}
    for entry in entries:
        yield _object(entry)
    yield {
        "what": "summary",
        "seconds": totals.seconds,
        "sessions": totals.sessions,
        "damaged": totals.damaged,
        "elided": totals.elided,
        "sent": {"frames": totals.frames[">"], "again": totals.again[">"], "bytes": totals.bytes[">"]},
        "received": {"frames": totals.frames["<"], "again": totals.again["<"], "bytes": totals.bytes["<"]},
    }


def quoted(data: bytes) -> str:
    """Text of a console in one line: escapes as in Python, a byte that comes many times but once."""
    out = []
    at = 0
    for found in _MANY.finditer(data):
        out += [_escaped(data[at : found.start()]), f"{_escaped(found[1])}×{len(found[0]) // len(found[1])}"]
        at = found.end()
    return f'"{"".join([*out, _escaped(data[at:])])}"'


def described(message: Message | BridgeError) -> str:
    """A message in one line, or why it is none."""
    return f"({message.message})" if isinstance(message, BridgeError) else describe(message)


def _escaped(data: bytes) -> str:
    # What is no UTF-8 becomes surrogates, whose last byte it is.
    text = data.decode("utf-8", "surrogateescape")
    return "".join(_NAMES.get(c) or (c if c.isprintable() else f"\\x{ord(c) & 0xFF:02x}") for c in text)


def _lines(entry: Entry) -> Iterator[str]:
    when = f"{entry.t:10.6f}"
    match entry.what:
        case "frame":
            first, *others = [f" {described(message)}" for message in entry.messages] or [""]
            yield f"{when} {entry.mark} {entry.frame}{' again' if entry.again else ''}{first}"
            for other in others:
                yield f"{when} {entry.mark}   {other.strip()}"
        case "damage":
            rest = " …" if len(entry.data) > _SHOWN else ""
            blanked = ", blanked as they may hold a secret" if entry.elided else ""
            size = f"{len(entry.data)} bytes are no frame"
            yield f"{when} ! {entry.mark} {size}{blanked}: {entry.data[:_SHOWN].hex(' ')}{rest}"
        case "text":
            yield f"{when} {entry.mark} {quoted(entry.data)}"
        case _:
            facts = "".join(f" {name}={value}" for name, value in entry.facts.items())
            yield f"{when} {entry.mark} {entry.text}{facts}"


def _summary(totals: Totals) -> Iterator[str]:
    yield f"= {totals.seconds:.3f} s, {_count(totals.sessions, 'session')}"
    for mark, name in ((">", "sent"), ("<", "received")):
        yield (
            f"= {name} {_count(totals.bytes[mark], 'byte')}, {_count(totals.frames[mark], 'frame')}, "
            f"{totals.again[mark]} of them again"
        )
    yield f"= {_count(totals.damaged, 'damaged segment')}, {_count(totals.elided, 'byte')} elided"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _object(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = {"t": entry.t, "mark": entry.mark, "what": entry.what}
    if entry.frame is not None:
        frame = entry.frame
        found |= {"ack": frame.ack, "bytes": len(frame.payload), "again": entry.again}
        if carries(frame):
            found |= {"seq": frame.seq, "last": frame.kind is Kind.LAST}
        if entry.messages:
            found["messages"] = [described(message) for message in entry.messages]
    elif entry.what == "damage":
        found |= {"bytes": len(entry.data), "hex": entry.data.hex()}
    elif entry.what == "text":
        found["text"] = entry.data.decode("latin-1")
    else:
        found |= {"text": entry.text, "facts": entry.facts}
    return found | {"elided": True} if entry.elided else found
