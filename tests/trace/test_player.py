"""Single sessions, made by hand."""

from __future__ import annotations

import pytest

from bridge.errors import LinkTimeout
from bridge.trace.elision import SILENCE
from bridge.trace.file import Record, Trace
from bridge.trace.player import play
from bridge.trace.replayed import SessionReplay
from bridge.wire.check import CheckKind
from bridge.wire.events import ConsoleText, MessageReceived
from bridge.wire.frame import Codec, Frame, Kind
from bridge.wire.messages import Call, Event, Hello, Message, Reply, encode

CODEC = Codec(CheckKind.CRC, 3)
NOTE = Record(0.0, "=", text="session", facts={"baud": 115200, "damage": 0.0005})
HELLO = Hello(b"12345678", (26000, b"Lua 5.1"))


def frame(seq: int, message: Message, *, ack: int = 0, to_host: bool = True) -> bytes:
    return CODEC.encode(Frame(Kind.LAST, seq, ack, payload=encode(message)), to_host=to_host)


def played(*records: Record) -> SessionReplay:
    return play(Trace("a", {}, records), CODEC, NOTE, 0, len(records))


def test_what_a_session_makes_of_a_silence() -> None:
    text = played(
        Record(0.0, "<", frame(0, HELLO)),
        Record(1.0, "<", b"one "),
        Record(1.0 + SILENCE / 2, "<", b"word"),
        Record(2.0, "<", b"another one"),
    )
    said = [each.what.data for each in text.events if isinstance(each.what, ConsoleText)]
    assert said == [b"one word", b"another one"]


def test_a_frame_in_pieces_and_one_without_its_end() -> None:
    one, two = frame(1, Event(1, 5)), frame(2, Event(2, 5))
    found = played(
        Record(0.0, "<", frame(0, HELLO)),
        *(Record(1.0 + i / 1000, "<", one[i : i + 1]) for i in range(len(one))),
        Record(2.0, "<", two[:-1]),
        Record(3.0, "<", frame(3, Event(3, 5))),
    )
    assert found.messages == [HELLO, Event(1, 5), Event(2, 5), Event(3, 5)] and found.damaged == 0
    assert [s.frame.seq for s in found.segments if s.frame] == [0, 1, 2, 3]


def test_damage_is_told_of_its_segment() -> None:
    bad = frame(1, Event(1, 5, (b"some data",))).replace(b"some", b"\xfe")
    found = played(
        Record(0.0, "<", frame(0, HELLO)), Record(1.0, "<", bad), Record(2.0, "<", bad[:-1]), Record(5.0, "<", b"\0")
    )
    assert [segment.damaged for segment in found.segments] == [False, True, True] and found.damaged == 2


def test_acknowledgements_count_while_the_host_has_sent_what_they_name() -> None:
    call = Record(1.0, ">", frame(0, Call(73, 1, (b"x",)), ack=1, to_host=False))
    answer = Record(1.1, "<", frame(1, Reply(1, (b"y",)), ack=1))
    good = played(Record(0.0, "<", frame(0, HELLO)), call, answer)
    assert not good.alone and good.messages == [HELLO, Reply(1, (b"y",))] and good.sent == [Call(73, 1, (b"x",))]
    other = played(Record(0.0, "<", frame(0, HELLO)), Record(1.1, "<", frame(1, Reply(1, (b"y",)), ack=9)))
    assert other.alone and other.messages == good.messages and other.damaged == 0


def test_what_was_never_answered_fails_again() -> None:
    call = Record(1.0, ">", frame(0, Call(73, 1), ack=1, to_host=False))
    silent = played(Record(0.0, "<", frame(0, HELLO)), call, Record(20.0, "=", text="board"))
    assert isinstance(silent.failure, LinkTimeout)
    # What comes after it shows that it had not failed then.
    living = played(Record(0.0, "<", frame(0, HELLO)), call, Record(20.0, "<", frame(1, Reply(1), ack=1)))
    assert living.alone and living.messages == [HELLO, Reply(1)]


def test_the_host_s_side_is_read_too_whatever_it_is() -> None:
    odd = CODEC.encode(Frame(Kind.LAST, 0, 1, payload=b"\x49\x01\xff"))
    found = played(
        Record(0.0, "<", frame(0, HELLO)), Record(1.0, ">", odd), Record(1.1, "<", frame(1, Reply(1), ack=1))
    )
    assert found.alone and found.sent == [] and found.messages == [HELLO, Reply(1)]


@pytest.mark.parametrize("wait", [0.5, 3600.0])
def test_time_that_passes_costs_little(wait: float) -> None:
    found = played(Record(0.0, "<", frame(0, HELLO)), Record(wait, "<", frame(1, Event(1, 5))))
    assert [e for e in found.events if isinstance(e.what, MessageReceived)][1].what == MessageReceived(Event(1, 5))
