from __future__ import annotations

import random

import pytest

from bridge.trace.file import Record
from bridge.trace.recut import Piece, cut
from bridge.wire.check import CheckKind
from bridge.wire.frame import Codec, Frame, Kind, Splitter

CODEC = Codec(CheckKind.CRC, 3)
SHORT = Frame(Kind.LAST, 1, 7, payload=b"short")
LONG = Frame(Kind.MORE, 2, 9, payload=random.Random(1).randbytes(220))


def records(data: bytes, size: int, gap: float = 0.001) -> list[Record]:
    return [Record(at / size * gap, "<", data[at : at + size]) for at in range(0, len(data), size)]


def all_of(pieces: list[list[Piece]]) -> list[Piece]:
    return [piece for record in pieces for piece in record]


@pytest.mark.parametrize("size", [1, 3, 100, 1000])
@pytest.mark.parametrize("text", [b"", b"printed\r\n"])
def test_the_bytes_stay_and_what_they_are_is_told(size: int, text: bytes) -> None:
    first, second = CODEC.encode(LONG, to_host=True)[1:-1].split(b"\0")
    data = b"\0" + CODEC.encode(SHORT, to_host=True) + b"\0" + first + text + b"\0" + second + b"\0"
    pieces = cut(records(data, size), CODEC, alone=False)
    assert [b"".join(piece.data for piece in each) for each in pieces] == [r.data for r in records(data, size)]
    told = [segment for piece in all_of(pieces) for segment in piece.segments]
    between = [(text, None)] if text else []
    assert told == [(CODEC.seal(SHORT, to_host=True), SHORT), *between, (first + second, LONG)]


def test_alone_a_frame_acknowledges_nothing_and_text_stays_where_it_was() -> None:
    first, second = CODEC.encode(LONG, to_host=True)[1:-1].split(b"\0")
    data = CODEC.encode(SHORT, to_host=True) + b"\0" + first + b"printed\0" + second + b"\0"
    pieces = all_of(cut(records(data, 50), CODEC, alone=True))
    fed = b"".join(piece.data for piece in pieces)
    again = cut([Record(0.0, "<", fed)], CODEC, alone=False)
    told = [segment for piece in all_of(again) for segment in piece.segments]
    assert [frame and (frame.seq, frame.ack, frame.payload) for _, frame in told] == [
        (1, 0, b"short"), None, (2, 0, LONG.payload)
    ]  # fmt: skip
    assert told[1][0] == b"printed"


def test_silence_ends_what_is_whole_and_long_silence_all() -> None:
    short = CODEC.encode(SHORT, to_host=True)
    start = [Record(0.0, "<", short), Record(0.01, "<", short[:-1])]
    for gap, ends in ((0.03, False), (0.06, True)):
        pieces = cut([*start, Record(0.01 + gap, "<", b"\0\0")], CODEC, alone=False)
        assert bool(pieces[1][-1].segments) == ends
    for gap, ends in ((0.06, False), (0.2, True)):
        pieces = cut([*start[:1], Record(0.01, "<", b"\xff\xfe"), Record(0.01 + gap, "<", b"\0")], CODEC, alone=False)
        assert bool(pieces[1][-1].segments) == ends


@pytest.mark.parametrize("size", [62, 700, 3000])
def test_what_is_printed_without_a_pause_is_told_as_it_comes(size: int) -> None:
    printed = b"".join(b"line %d\r\n" % number for number in range(1000))
    data = b"\0" + CODEC.encode(SHORT, to_host=True) + printed + CODEC.encode(SHORT, to_host=True)
    pieces = cut(records(data, size), CODEC, alone=False)
    assert [b"".join(piece.data for piece in each) for each in pieces] == [r.data for r in records(data, size)]
    # As the session has it: each piece is as long as no frame is.
    told = [[data for piece in each for data, frame in piece.segments if frame is None] for each in pieces]
    assert b"".join(text for each in told for text in each) == printed
    assert all(sum(map(len, each)) <= size + Splitter.LIMIT for each in told)
