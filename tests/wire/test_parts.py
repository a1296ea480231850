import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.check import CheckKind
from bridge.wire.frame import PART, Codec, Frame, Kind, Splitter
from bridge.wire.parts import Parts

CODEC = Codec(CheckKind.CRC, 0x1234)


def long_frame(seq: int = 3, size: int = 200) -> tuple[Frame, bytes, bytes]:
    frame = Frame(Kind.LAST, seq, 1, payload=random.Random(seq).randbytes(size))
    whole = CODEC.seal(frame, to_host=True)
    return frame, whole[:PART], whole[PART:]


def reader() -> Parts:
    return Parts(CODEC, to_host=True)


def test_a_frame_in_two_parts_is_joined() -> None:
    parts = reader()
    frame, first, second = long_frame()
    assert parts.take(first) == [] and parts.waiting
    assert parts.completes(second)
    assert parts.take(second) == [(first + second, frame)] and not parts.waiting


@given(text=st.binary(min_size=1, max_size=400).filter(lambda text: b"\0" not in text))
def test_what_is_printed_between_the_parts_stands_apart(text: bytes) -> None:
    parts = reader()
    frame, first, second = long_frame()
    assert parts.take(first + text) == []
    assert parts.take(second) == [(text, None), (first + second, frame)]


@given(size=st.integers(100, 130))
def test_each_length_around_that_of_a_part_comes_through(size: int) -> None:
    parts = reader()
    frame = long_frame(size=size)[0]
    taken = [each for segment in Splitter().feed(CODEC.encode(frame, to_host=True)) for each in parts.take(segment)]
    assert [found for _, found in taken] == [frame] and not parts.waiting


def test_a_first_part_is_no_frame_even_if_its_check_passes() -> None:
    # One in 2**24 does.
    frame = Frame(Kind.LAST, 3, 1, payload=bytes(range(1, 119)))
    segment = CODEC.seal(frame, to_host=True)
    assert len(segment) == PART and CODEC.decode(segment) == frame
    parts = reader()
    assert parts.take(segment) == []
    assert parts.take(b"") == [(segment, frame)]


def test_two_halves_of_a_damaged_frame_are_one_damage() -> None:
    frame, first, second = long_frame()
    lost, doubled, changed = first[:50] + first[51:], first[:50] + first[49:], b"\x01" + first[1:]
    for damaged in (lost, doubled, changed):
        parts = reader()
        assert parts.take(damaged) == []
        assert parts.take(second) == [(damaged + second, None)]
        assert not parts.waiting


def test_what_was_printed_between_damaged_halves_is_not_lost() -> None:
    _, first, second = long_frame()
    parts = reader()
    parts.take(first + b"printed\r\n")
    assert parts.take(second[1:]) == [(first, None), (b"printed\r\n", None), (second[1:], None)]


def test_a_whole_frame_says_that_what_waited_was_none() -> None:
    parts = reader()
    frame, first, _ = long_frame(size=20)
    parts.take(b"x" * PART)
    assert parts.take(first) == [(b"x" * PART, None), (first, frame)]


def test_another_first_part_says_so_too() -> None:
    parts = reader()
    frame, first, second = long_frame()
    parts.take(b"x" * PART)
    assert parts.take(first) == [(b"x" * PART, None)]
    assert parts.take(second) == [(first + second, frame)]


@pytest.mark.parametrize("text", [b"hello", b"x" * 300, b"\xff" * 500])
def test_what_does_not_begin_like_a_frame_is_told_at_once(text: bytes) -> None:
    assert reader().take(text) == [(text, None)]


def test_what_waits_can_be_given_up() -> None:
    parts = reader()
    parts.take(b"x" * PART)
    assert parts.flush() == [(b"x" * PART, None)] and parts.flush() == []


def test_frames_to_a_board_are_never_in_parts() -> None:
    assert Parts(CODEC, to_host=False).take(b"x" * PART) == [(b"x" * PART, None)]
