import random

import pytest

from bridge.errors import RemoteProtocolError
from bridge.wire.frame import Frame, Kind
from bridge.wire.receiver import Receiver


def frame(seq: int, payload: bytes = b"x", kind: Kind = Kind.LAST) -> Frame:
    return Frame(kind, seq % 32, 0, payload=payload)


def test_messages_come_in_order_however_frames_do() -> None:
    receiver = Receiver(100)
    assert receiver.arrived(frame(1, b"b"), 0.0) == []
    assert receiver.arrived(frame(3, b"d"), 0.0) == []
    assert receiver.arrived_mask == 0b1010 and receiver.gap
    assert receiver.arrived(frame(0, b"a"), 0.0) == [b"a", b"b"]
    assert receiver.arrived(frame(2, b"c"), 0.0) == [b"c", b"d"]
    assert receiver.expected == 4 and receiver.arrived_mask == 0 and not receiver.gap


def test_fragments_are_joined() -> None:
    receiver = Receiver(100)
    assert receiver.arrived(frame(0, b"ab", Kind.MORE), 0.0) == []
    assert receiver.arrived(frame(1, b"cd", Kind.MORE), 0.0) == []
    assert receiver.arrived(frame(2, b"e"), 0.0) == [b"abcde"]


def test_a_message_that_does_not_end_is_refused() -> None:
    receiver = Receiver(100)
    receiver.arrived(frame(0, bytes(60), Kind.MORE), 0.0)
    with pytest.raises(RemoteProtocolError, match="longer than 100"):
        receiver.arrived(frame(1, bytes(60), Kind.MORE), 0.0)


def test_duplicates_are_dropped() -> None:
    receiver = Receiver(100)
    for seq in range(40):
        assert receiver.arrived(frame(seq), 0.0) == [b"x"]
        assert receiver.arrived(frame(seq), 0.0) == []
    assert receiver.duplicates == 40
    receiver.arrived(frame(42), 0.0)
    receiver.arrived(frame(42), 0.0)
    assert receiver.duplicates == 41


def test_what_is_missing_is_asked_for_once_and_again_when_the_answer_is_overdue() -> None:
    receiver = Receiver(100)
    receiver.arrived(frame(2), 1.0)
    assert receiver.deadline() == 0.0
    assert receiver.wanted(1.0) == b"\0\1"
    assert receiver.wanted(1.001) == b""
    due = receiver.deadline()
    assert due is not None and due > 1.0
    assert receiver.wanted(due) == b"\0\1"
    receiver.arrived(frame(0), due + 0.01)
    assert receiver.wanted(due + 5.0) == b"\1"
    receiver.arrived(frame(1), due + 5.1)
    assert receiver.deadline() is None


def test_damage_asks_for_the_next_new_frame_once() -> None:
    receiver = Receiver(100)
    receiver.arrived(frame(0), 0.0)
    receiver.arrived(frame(2), 0.0)
    receiver.wanted(0.0)
    receiver.damaged()
    assert receiver.deadline() == 0.0
    assert receiver.wanted(0.001) == b"\3"  # 1 was asked for already; 3 is next
    assert receiver.wanted(0.002) == b""


def test_answers_that_queue_up_make_it_patient() -> None:
    """All answers take a second, though the line is quick enough for each: asking at the pace of before must end."""
    receiver = Receiver(100)
    asked = []
    for seq in range(0, 40, 2):
        begun = now = seq * 10.0
        receiver.arrived(frame(seq + 1), now)
        times = []
        while now < begun + 1.0:
            receiver.heard()  # what else the board says, and noise
            if receiver.wanted(now):
                times.append(now)
            due = receiver.deadline()
            assert due is not None
            now = due
        asked.append(len(times))
        for when in times:  # each question has its answer
            receiver.arrived(frame(seq), when + 1.0)
    assert asked[0] >= 10 and asked[-1] <= 3


def test_questions_that_are_lost_do_not_make_it_patient() -> None:
    """Three of four questions or answers are lost; those that are not take 20 ms. One that took it for answers to the
    first question waited a second between two of them soon, and a line that was bad came to a standstill."""
    receiver, rng = Receiver(100), random.Random(1)
    now = 0.0
    for seq in range(0, 400, 2):
        receiver.arrived(frame(seq + 1), now)
        while True:
            due = receiver.deadline()
            assert due is not None
            now = max(now, due)
            receiver.heard()
            if receiver.wanted(now) and rng.random() < 0.25:
                break
        now += 0.020
        receiver.heard()
        receiver.arrived(frame(seq), now)
    receiver.arrived(frame(401), now)
    receiver.wanted(now)
    due = receiver.deadline()
    assert due is not None and due - now < 0.06


def test_answers_that_are_lost_do_not_make_it_patient() -> None:
    receiver = Receiver(100)
    for seq in range(0, 40, 2):
        now = seq * 10.0
        receiver.arrived(frame(seq + 1), now)
        for _ in range(4 if seq % 4 else 1):  # the last answer comes at once
            due = receiver.deadline()
            assert due is not None
            now = max(now, due)
            receiver.wanted(now)
            receiver.heard()
        receiver.arrived(frame(seq), now + 0.04)
    receiver.arrived(frame(41), 500.0)
    receiver.wanted(500.0)
    due = receiver.deadline()
    assert due is not None and due - 500.0 < 0.15


def test_a_line_that_stands_still_is_asked_less_and_less_often() -> None:
    """It may be full of answers. Asking on at the same pace never let it empty itself again."""
    receiver = Receiver(100)
    receiver.arrived(frame(1), 0.0)
    now, asked = 0.0, 0
    while now < 10.0:
        asked += len(receiver.wanted(now))
        due = receiver.deadline()
        assert due is not None
        now = due
    assert asked < 16
    receiver.heard()
    due = receiver.deadline()
    assert due is not None and due < now


def test_a_gap_is_dated_until_the_frame_that_is_wanted_next_comes() -> None:
    receiver = Receiver(100)
    assert receiver.gap_since is None
    receiver.arrived(frame(2), 1.0)
    receiver.arrived(frame(3), 2.0)
    receiver.arrived(frame(1), 3.0)
    assert receiver.gap_since == 1.0
    receiver.arrived(frame(5), 4.0)
    receiver.arrived(frame(0), 5.0)
    assert receiver.gap_since == 5.0  # 4 is missing now, and nothing was known of that to be late
    receiver.arrived(frame(4), 6.0)
    assert receiver.gap_since is None
