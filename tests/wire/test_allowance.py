from bridge.wire.allowance import Allowance


def grown(frames: int = 40, size: int = 240) -> Allowance:
    allowance = Allowance(244, 1024)
    for _ in range(frames):
        allowance.arrived(size)
    return allowance


def test_it_doubles_until_the_most() -> None:
    allowance = Allowance(244, 1024)
    assert allowance.bytes == 244
    allowance.arrived(240)
    assert allowance.bytes == 484
    assert grown().bytes == 1024


def test_frequent_overflows_take_a_frame_each_and_never_the_least() -> None:
    allowance = grown()
    for order in range(1, 20, 2):
        allowance.overran(240, 10_000, order, order)
    assert allowance.bytes == 244


def test_what_was_lost_together_counts_once() -> None:
    allowance = grown()
    allowance.overran(240, 960, 1, 5)
    for order in range(2, 6):
        allowance.overran(240, 960, order, 5)
    assert allowance.bytes == 840


def test_a_rare_overflow_is_borne() -> None:
    allowance = grown()
    allowance.overran(240, 960, 1, 1)
    for order in range(2, 10):
        for _ in range(40):
            allowance.arrived(10)
        before = allowance.bytes
        allowance.overran(240, 720, order, order)
        assert allowance.bytes == before


def test_more_is_tried_after_a_while_and_more_rarely_each_time_it_was_too_much() -> None:
    allowance = grown()
    allowance.overran(240, 728, 1, 1)
    waits = []
    order = 1
    for _ in range(4):
        before, frames = allowance.bytes, 0
        while allowance.bytes == before:
            allowance.arrived(240)
            frames += 1
        waits.append(frames)
        order += 1
        allowance.overran(240, int(allowance.bytes), order, order)
    assert waits == sorted(waits) and waits[-1] >= 8 * waits[0]


def test_without_a_ring_nothing_is_lowered_below_what_it_starts_with() -> None:
    allowance = Allowance(2048, 1024)
    allowance.arrived(240)
    allowance.overran(240, 4000, 1, 1)
    assert allowance.bytes == 2048


def test_what_was_taken_for_nothing_is_given_back() -> None:
    allowance = grown()
    allowance.overran(240, 1000, 1, 1)
    allowance.overran(240, 700, 2, 2)
    assert allowance.bytes < 600
    allowance.forgive()
    assert allowance.bytes == 1024
    allowance.forgive()
    assert allowance.bytes == 1024


def test_one_frame_at_a_time_does_not_stay_for_long() -> None:
    allowance = Allowance(244, 1024)
    order = 0
    for _ in range(8):  # what is tried fails each time, so that the patience grows
        before = allowance.bytes
        while allowance.bytes == before:
            allowance.arrived(242)
        for _ in range(4):
            order += 1
            allowance.overran(242, int(allowance.bytes), order, order)
    assert allowance.bytes == 244
    for _ in range(64):
        allowance.arrived(242)
    assert allowance.bytes == 486
