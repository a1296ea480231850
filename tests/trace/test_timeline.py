from __future__ import annotations

from bridge.errors import BridgeError
from bridge.trace.file import Record, Trace
from bridge.trace.playback import replay
from bridge.trace.timeline import Entry, timeline
from bridge.wire.check import CheckKind
from bridge.wire.frame import Codec, Frame, Kind
from bridge.wire.messages import Call, Event, Hello, Message, encode

CODEC = Codec(CheckKind.CRC, 3)
SESSION = Record(0.5, "=", text="session", facts={"check": "crc", "epoch": 3})
HELLO = Hello(b"12345678", ())


def frame(seq: int, payload: bytes | Message, *, to_host: bool = True, kind: Kind = Kind.LAST, ack: int = 0) -> bytes:
    data = payload if isinstance(payload, bytes) else encode(payload)
    return CODEC.encode(Frame(kind, seq, ack, payload=data), to_host=to_host)


def entries(*records: Record) -> list[Entry]:
    trace = Trace("a", {}, records)
    return timeline(trace, replay(trace))[0]


def test_text_of_the_prompt_comes_by_lines_and_each_side_apart() -> None:
    found = entries(
        Record(0.0, ">", b"print(1)\r\nprint(2)\r\n"),
        Record(0.01, "<", b"print"),
        Record(0.02, "<", b"(1)\r\n1"),
        Record(0.03, "<", b"\r\n> "),
        Record(5.0, "<", b"late"),
        Record(6.0, "=", text="close"),
    )
    assert [(e.t, e.mark, e.data) for e in found] == [
        (0.0, ">", b"print(1)\r\n"),
        (0.0, ">", b"print(2)\r\n"),
        (0.01, "<", b"print(1)\r\n"),
        (0.01, "<", b"1\r\n"),
        (0.01, "<", b"> "),
        (5.0, "<", b"late"),
        (6.0, "=", b""),
    ]


def test_frames_with_the_messages_they_complete() -> None:
    call = encode(Call(73, 1, (b"x" * 40,)))
    found = entries(
        Record(0.1, ">", b"the last line\r\n"),
        Record(0.4, "<", frame(0, HELLO)),
        SESSION,
        Record(1.0, ">", frame(0, call[:20], to_host=False, kind=Kind.MORE) + frame(1, call[20:], to_host=False)),
        Record(1.1, "<", frame(2, Event(2, 5))),
        Record(1.2, "<", frame(1, Event(1, 5))),
        Record(1.3, "<", frame(1, Event(1, 5))),
        Record(1.4, "<", b"\0\x01\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\0"),
        Record(1.5, "<", b"some text\r\n\0", elided=2),
        Record(1.6, "<", CODEC.encode(Frame(Kind.BARE, 0, 0), to_host=True)),
        Record(1.7, "!", text="the port is gone"),
    )
    assert [(e.mark, e.what, e.messages, e.again, e.elided) for e in found] == [
        (">", "text", (), False, False),
        ("<", "frame", (HELLO,), False, False),
        ("=", "note", (), False, False),
        (">", "frame", (), False, False),
        (">", "frame", (Call(73, 1, (b"x" * 40,)),), False, False),
        ("<", "frame", (), False, False),
        ("<", "frame", (Event(1, 5), Event(2, 5)), False, False),
        ("<", "frame", (), True, False),
        ("<", "damage", (), False, False),
        ("<", "text", (), False, True),
        ("<", "frame", (), False, False),
        ("!", "fault", (), False, False),
    ]


def test_a_message_that_is_none() -> None:
    found = entries(Record(0.1, "<", frame(0, HELLO)), SESSION, Record(1.0, "<", frame(1, b"\xee\x01\x02")))
    [error] = found[-1].messages
    assert isinstance(error, BridgeError) and "unknown opcode" in str(error)


def test_what_it_comes_to() -> None:
    trace = Trace(
        "a",
        {},
        (
            Record(0.1, "<", frame(0, HELLO)),
            SESSION,
            Record(1.0, ">", frame(0, Call(73, 1), to_host=False), elided=4),
            Record(1.5, ">", b"\0" + frame(0, Call(73, 1), to_host=False), elided=4),
            Record(2.0, "<", b"\0\x01\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\0"),
        ),
    )
    totals = timeline(trace, replay(trace))[1]
    assert (totals.seconds, totals.sessions, totals.damaged, totals.elided) == (2.0, 1, 1, 8)
    assert totals.frames == {">": 2, "<": 1} and totals.again == {">": 1, "<": 0}
    size = len(frame(0, Call(73, 1), to_host=False))
    assert totals.bytes == {">": 2 * size + 1, "<": len(frame(0, HELLO)) + 12}
