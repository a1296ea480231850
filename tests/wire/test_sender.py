from bridge.wire.frame import WINDOW, Kind
from bridge.wire.sender import MOST_IN_FLIGHT, SAFE_IN_FLIGHT, Outgoing, Sender


def send_all(sender: Sender, now: float = 0.0) -> list[Outgoing]:
    sent = []
    while (frame := sender.next_frame()) is not None:
        sender.sent(frame, len(frame.payload) + 7, now)
        sent.append(frame)
    return sent


def small(payload: int = 10) -> Sender:
    sender = Sender(244)
    sender.fix_payload(payload)
    return sender


def test_messages_are_cut_and_the_last_piece_says_so() -> None:
    sender = small()
    sender.offer(b"0123456789abcde")
    sender.offer(b"x")
    frames = send_all(sender)
    assert [(f.seq, f.kind, f.payload) for f in frames] == [
        (0, Kind.MORE, b"0123456789"), (1, Kind.LAST, b"abcde"), (2, Kind.LAST, b"x"),
    ]  # fmt: skip
    assert sender.queued == 0 and sender.outstanding == 3


def test_what_is_urgent_goes_between_messages_not_into_one() -> None:
    sender = small()
    sender.offer(b"0123456789abc")
    first = sender.next_frame()
    assert first is not None
    sender.sent(first, 17, 0.0)
    sender.offer(b"late")
    sender.offer(b"urgent", first=True)
    assert [frame.payload for frame in send_all(sender)] == [b"abc", b"urgent", b"late"]


def test_the_window_bounds_frames_and_bytes() -> None:
    sender = small(10)
    for _ in range(40):
        sender.offer(b"0123456789")
    assert len(send_all(sender)) == SAFE_IN_FLIGHT // 17
    sender.allowed.bytes = sender.behind.bytes = MOST_IN_FLIGHT
    send_all(sender)
    assert sender.outstanding == WINDOW


def test_one_frame_may_always_be_in_flight() -> None:
    sender = small(230)
    sender.allowed.bytes = 100
    sender.offer(bytes(400))
    assert len(send_all(sender)) == 1


def test_acknowledged_frames_make_room_and_a_nonsense_acknowledgement_does_not() -> None:
    sender = small()
    sender.offer(bytes(30))
    send_all(sender)
    assert not sender.acknowledged(9, 0, False, 1.0)
    assert sender.outstanding == 3
    assert sender.acknowledged(2, 0, False, 1.0)
    assert sender.outstanding == 1
    assert sender.acknowledged(3, 0, False, 1.0)
    assert sender.outstanding == 0 and sender.deadline() is None


def test_what_left_before_an_arrived_frame_was_lost_and_goes_again() -> None:
    sender = small()
    sender.offer(bytes(50))
    send_all(sender)
    sender.acknowledged(1, 0b1010, False, 1.0)  # 0, 2 and 4 are there: 1 and 3 are not
    assert [frame.seq for frame in send_all(sender, 1.0)] == [1, 3]
    sender.acknowledged(1, 0b1010, False, 1.1)  # an old answer: nothing new was learnt
    assert send_all(sender, 1.1) == []


def test_a_nak_is_about_the_oldest_under_way() -> None:
    sender = small()
    sender.offer(bytes(30))
    send_all(sender)
    sender.acknowledged(0, 0, True, 1.0)
    assert [frame.seq for frame in send_all(sender, 1.0)] == [0]
    sender.acknowledged(0, 0, True, 1.0)
    assert [frame.seq for frame in send_all(sender, 1.0)] == [1]


def test_frames_that_are_wanted_again_go_again() -> None:
    sender = small()
    sender.offer(bytes(30))
    send_all(sender)
    sender.wanted_again(b"\1\2\5\6")
    assert [frame.seq for frame in send_all(sender)] == [1, 2]


def test_a_poll_sends_the_oldest_again() -> None:
    sender = small()
    sender.polled()
    sender.offer(bytes(30))
    send_all(sender)
    sender.polled()
    sender.polled()
    assert [frame.seq for frame in send_all(sender)] == [0]


def test_what_the_other_side_holds_back_has_arrived_but_is_not_finished() -> None:
    sender = small()
    sender.offer(bytes(20))
    send_all(sender)
    sender.acknowledged(0, 0b11, False, 1.0)
    assert sender.outstanding == 0 and sender.deadline() is None and not sender.finished
    sender.acknowledged(2, 0, False, 2.0)
    assert sender.finished


def test_a_timeout_sends_only_the_oldest_again() -> None:
    sender = small()
    sender.offer(bytes(30))
    send_all(sender, 5.0)
    due = sender.deadline()
    assert due is not None and due > 5.0
    sender.timed_out()
    assert [frame.seq for frame in send_all(sender, 6.0)] == [0]
    assert sender.waiting_since == 5.0  # its first transmission counts
    sender.acknowledged(3, 0, False, 6.1)
    assert sender.waiting_since is None


def test_an_idle_line_is_filled_less_and_less_with_copies_of_one_frame() -> None:
    sender = small()
    for _ in range(20):
        sender.quality.lost(20)
    sender.offer(bytes(10))
    (frame,) = send_all(sender, 1.0)
    pauses = []
    for _ in range(5):
        due = sender.hurry_at()
        assert due is not None and sender.hurry() is frame
        pauses.append(due - frame.departed)
        sender.sent(frame, frame.size, due)
    assert pauses == sorted(pauses) and pauses[-1] > 4 * pauses[0]


def test_sequence_numbers_wrap() -> None:
    sender = small()
    for round_ in range(70):
        sender.offer(b"x")
        (frame,) = send_all(sender)
        assert frame.seq == round_ % 32
        assert sender.acknowledged((round_ + 1) % 32, 0, False, 0.0)


def test_more_is_allowed_in_flight_while_nothing_is_lost_by_it() -> None:
    sender = small(60)
    ack = 0
    for _ in range(100):
        sender.offer(bytes(60))
        ack += len(send_all(sender))
        sender.acknowledged(ack % 32, 0, False, 0.0)
    assert sender.allowed.bytes == MOST_IN_FLIGHT


def run_rounds(sender: Sender, lose: object, rounds: int = 60) -> None:
    """Messages of six frames; `lose(frame, number of its round)` says which are lost the first time."""
    assert callable(lose)
    ack = 0
    for round_ in range(rounds):
        sender.offer(bytes(60 * 6))
        waiting = send_all(sender)
        while waiting:
            ack += len(waiting)
            sender.wanted_again(bytes(frame.seq for frame in waiting if lose(frame, round_)))
            send_all(sender)
            sender.acknowledged(ack % 32, 0, False, 0.0)
            waiting = send_all(sender)


def test_an_overflow_loses_what_left_first_and_lowers_what_is_allowed() -> None:
    sender = small(60)
    sender.allowed.bytes = sender.behind.bytes = 600
    run_rounds(sender, lambda frame, round_: frame.crowd > 256 and frame.tries == 1)
    assert sender.allowed.bytes <= 320
    assert sender.quality.damage < 0.001, "and it says nothing of the line"


def test_a_bad_line_alone_does_not_lower_what_is_allowed() -> None:
    sender = small(60)
    run_rounds(sender, lambda frame, round_: frame.tries == 1 and (round_ + frame.seq) % 5 == 0, 200)
    assert sender.allowed.bytes > 500
    assert sender.quality.damage > 0.001


def test_less_may_be_in_flight_behind_the_end_of_a_message() -> None:
    sender = small(60)
    sender.allowed.bytes = 600
    sender.offer(b"x")
    for _ in range(8):
        sender.offer(bytes(60))
    assert sum(frame.size for frame in send_all(sender)[1:]) <= SAFE_IN_FLIGHT
    other = small(60)
    other.allowed.bytes = 600
    other.offer(bytes(60 * 9))
    assert sum(frame.size for frame in send_all(other)) > 500
