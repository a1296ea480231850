import random

from bridge.wire.check import CheckKind
from bridge.wire.frame import Codec, Frame, Kind
from bridge.wire.parts import PART, Parts

CODEC = Codec(CheckKind.CRC, 0x1234)


def long_frame(seq: int = 3) -> tuple[Frame, bytes, bytes]:
    frame = Frame(Kind.LAST, seq, 1, payload=random.Random(seq).randbytes(200))
    whole = CODEC.encode(frame, to_host=True)[1:-1]
    return frame, whole[:PART], whole[PART:]


def parts() -> Parts:
    return Parts(CODEC, to_host=True)


def test_a_frame_in_two_parts_is_joined() -> None:
    reader = parts()
    frame, first, second = long_frame()
    assert reader.take(first) == [] and reader.waiting
    assert reader.completes(second)
    assert reader.take(second) == [(first + second, frame)] and not reader.waiting


def test_what_is_printed_between_the_parts_stands_apart() -> None:
    reader = parts()
    frame, first, second = long_frame()
    reader.take(first)
    assert reader.take(b"printed") == [] == reader.take(b"\xff more")
    assert reader.take(second) == [(b"printed", None), (b"\xff more", None), (first + second, frame)]


def test_a_whole_frame_says_that_what_waited_was_none() -> None:
    reader = parts()
    frame, first, second = long_frame()
    reader.take(b"x" * PART)
    assert reader.take(b"y") == []
    assert reader.take(first + second) == [(b"x" * PART, None), (b"y", None), (first + second, frame)]


def test_another_first_part_says_so_too() -> None:
    reader = parts()
    frame, first, second = long_frame()
    reader.take(b"x" * PART)
    assert reader.take(first) == [(b"x" * PART, None)]
    assert reader.take(second) == [(first + second, frame)]


def test_what_has_not_the_length_of_a_part_is_told_at_once() -> None:
    assert parts().take(b"hello") == [(b"hello", None)]


def test_little_is_kept() -> None:
    reader = parts()
    reader.take(b"x" * PART)
    told = []
    for _ in range(50):
        told += reader.take(b"z")
        assert len(reader._waiting) <= 9
    assert len(told) == 51 and not reader.waiting
    reader.take(b"x" * PART)
    assert reader.flush() == [(b"x" * PART, None)] and reader.flush() == []


def test_frames_to_a_board_are_never_in_parts() -> None:
    assert Parts(CODEC, to_host=False).take(b"x" * PART) == [(b"x" * PART, None)]
