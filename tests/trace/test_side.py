from __future__ import annotations

import random

from bridge.trace.pieces import Chunk, Run, Way
from bridge.trace.side import Side
from bridge.wire.check import CheckKind
from bridge.wire.frame import PART, Codec, Frame, Kind

CODEC = Codec(CheckKind.CRC, 3)
FRAME = Frame(Kind.LAST, 3, 1, payload=random.Random(1).randbytes(200))
FIRST, SECOND = (part for part in CODEC.encode(FRAME, to_host=True).split(b"\0") if part)


def run(data: bytes) -> Run:
    return Run([(Chunk(0.0, True, data), 0, len(data))])


def test_a_first_part_waits_for_its_second() -> None:
    side = Side(Way(to_host=True))
    assert side.begin(run(FIRST + b"printed"), 1.0) and side.first_at == 1.0
    assert side.completed(CODEC, SECOND) == FRAME and side.is_frame(CODEC, SECOND)
    assert not side.is_frame(CODEC, SECOND[1:])
    begun, printed = side.take_first()
    assert (begun.data, printed.data) == (FIRST, b"printed") and side.first is None
    assert side.completed(CODEC, SECOND) is None


def test_what_is_too_short_or_goes_to_the_board_is_no_first_part() -> None:
    assert not Side(Way(to_host=True)).begin(run(b"hello"), 0.0)
    assert not Side(Way(to_host=False)).begin(run(FIRST), 0.0)


def test_a_whole_frame_is_not_as_long_as_a_first_part() -> None:
    frame = Frame(Kind.LAST, 3, 1, payload=bytes(range(1, 119)))
    segment = CODEC.seal(frame, to_host=True)
    assert len(segment) == PART and Side(Way(to_host=True)).whole(CODEC, segment) is None
    assert Side(Way(to_host=True)).whole(CODEC, CODEC.seal(Frame(Kind.BARE, 0, 1), to_host=True)) is not None
