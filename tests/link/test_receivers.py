import logging

import pytest

from bridge.link.receivers import EARLY_LIMIT, Receivers
from bridge.wire.values import Handle


def make() -> tuple[Receivers, list[tuple[str, tuple[object, ...]]], list[object]]:
    let_go: list[object] = []
    return Receivers(let_go.extend), [], let_go


def test_events_wait_for_their_receiver_in_order() -> None:
    receivers, seen, _ = make()
    receivers.deliver(1, "a", (1,))
    receivers.deliver(1, "b", ())
    receivers.deliver(2, "other", ())
    receivers.subscribe(1, lambda name, values: seen.append((name, values)))
    receivers.deliver(1, "c", ())
    assert seen == [("a", (1,)), ("b", ()), ("c", ())]


def test_only_so_many_wait() -> None:
    receivers, seen, _ = make()
    for _ in range(EARLY_LIMIT + 5):
        receivers.deliver(1, "a", ())
    receivers.subscribe(1, lambda name, values: seen.append((name, values)))
    assert len(seen) == EARLY_LIMIT


def test_what_comes_for_a_released_handle_is_let_go() -> None:
    receivers, seen, let_go = make()
    receivers.deliver(1, "early", ())
    receivers.release(1)
    receivers.deliver(1, "accept", (Handle(9),))
    assert let_go == [Handle(9)]
    receivers.subscribe(1, lambda name, values: seen.append((name, values)))
    receivers.deliver(1, "new", ())
    assert seen == [("new", ())]


def test_a_number_let_go_is_forgotten_when_the_board_has_done_so() -> None:
    receivers, _, let_go = make()
    receivers.release(1)
    receivers.release(2)
    before = receivers.releases
    receivers.release(3)
    receivers.release(1)  # the board has used it again meanwhile
    receivers.settled(before)
    for number in (1, 2, 3):
        receivers.deliver(number, "accept", (Handle(number),))
    assert let_go == [Handle(1), Handle(3)], "what comes for 2 is of a new object"
    receivers.settled(receivers.releases)
    receivers.deliver(3, "accept", (Handle(4),))
    assert len(let_go) == 2


def test_events_of_a_handle_that_nobody_wants_are_dropped() -> None:
    receivers, seen, let_go = make()
    receivers.unsubscribe(1)
    receivers.deliver(1, "a", (Handle(9),))
    receivers.subscribe(1, lambda name, values: seen.append((name, values)))
    assert seen == [] and let_go == []


def test_a_handle_that_somebody_has_stays_his_when_another_gives_it_back() -> None:
    receivers, seen, let_go = make()
    receivers.subscribe(1, lambda name, values: seen.append((name, values)))
    receivers.release(1)
    receivers.deliver(1, "a", ())
    receivers.unsubscribe(1)
    receivers.release(1)
    receivers.deliver(1, "accept", (Handle(9),))
    assert seen == [("a", ())] and let_go == [Handle(9)]


def test_what_waits_for_nobody_any_more_is_let_go() -> None:
    receivers, _, let_go = make()
    receivers.deliver(1, "accept", (Handle(9),))
    receivers.release(1)
    receivers.deliver(2, "accept", (Handle(8),))
    receivers.unsubscribe(2)
    for number in range(EARLY_LIMIT + 1):
        receivers.deliver(3, "accept", (Handle(1000 + number),))
    assert let_go == [Handle(9), Handle(8), Handle(1000 + EARLY_LIMIT)]


def test_a_receiver_that_raises_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    receivers, seen, _ = make()

    def fail(name: str, values: object) -> None:
        seen.append((name, ()))
        raise ValueError("mine")

    receivers.subscribe(1, fail)
    with caplog.at_level(logging.ERROR):
        receivers.deliver(1, "a", ())
        receivers.deliver(1, "b", ())
    assert [name for name, _ in seen] == ["a", "b"] and "mine" in caplog.text
