"""Feeds the bytes of a trace to the parser again: what a session made of them then, it makes of them now.

A fault that was captured so becomes a test:

    replayed = bridge.trace.replay("fault.trace")
    assert replayed.damaged == 3 and b"PANIC" not in replayed.console

The bytes that arrived go to a session of the host, those that were written to one of the board, in their pieces and at
their times (`bridge.trace.player`).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from bridge.errors import UsageError
from bridge.trace.file import Record, Trace, read
from bridge.trace.player import play
from bridge.trace.replayed import Replay
from bridge.wire.check import CheckKind
from bridge.wire.frame import Codec
from bridge.wire.parts import Parts


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
    return Replay(tuple(play(whole, *span) for span in sessions(whole)))


def sessions(trace: Trace) -> Iterator[tuple[Codec, Record, int, int]]:
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
    check = next((kind for kind in CheckKind if kind.value == note.facts.get("check")), None)
    epoch = note.facts.get("epoch")
    if check is None or not isinstance(epoch, int) or not 0 <= epoch <= 0xFFFF:
        raise UsageError(f"{trace.path} is damaged: a session in it has no check or epoch", remedy="Trace again.")
    return Codec(check, epoch)


def _start(records: tuple[Record, ...], codec: Codec, note: int) -> int:
    """Where a session begins: behind the last line that the host typed before the first frame."""
    stream = b""
    typed = 0
    for i, record in enumerate(records):
        if record.mark == ">" and _is_typed(record, codec):
            typed, stream = i + 1, b""
        elif record.mark == ">":
            return typed
        elif record.mark == "<":
            # A frame has a NUL on both sides. Without that, one of so many pieces of text passes for one some day.
            stream += record.data
            parts = Parts(codec, to_host=True)
            if any(frame for each in stream.split(b"\0")[1:-1] for _, frame in parts.take(each)):
                return typed
            stream = b"\0" + stream.rpartition(b"\0")[2] if b"\0" in stream else b""
    return note


def _is_typed(record: Record, codec: Codec) -> bool:
    if record.mark != ">":
        return False
    *frames, rest = record.data.split(b"\0")
    return bool(rest) or any(codec.decode(each, to_host=False) is None for each in frames if each)
