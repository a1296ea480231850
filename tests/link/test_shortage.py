"""What is told of sockets that wait for heap."""

from bridge.link.shortage import PATIENCE, PAUSE, SPARE_SECONDS, Shortage


def told(shortage: Shortage, start: float, end: float) -> list[float]:
    """When something is told, while the agent says it three times a second."""
    times = [start + number / 3 for number in range(int((end - start) * 3) + 1)]
    return [time for time in times if shortage.told(time) is not None]


def test_a_short_wait_is_no_news_and_a_long_one_is_told_less_and_less_often() -> None:
    shortage = Shortage()
    assert told(shortage, 0.0, PATIENCE - 1) == []
    assert [round(time) for time in told(shortage, PATIENCE - 0.5, 100.0)] == [10, 20, 40, 80]


def test_another_wait_begins_anew() -> None:
    shortage = Shortage()
    told(shortage, 0.0, PATIENCE - 1)
    begin = PATIENCE + PAUSE
    assert [round(time - begin) for time in told(shortage, begin, begin + 15.0)] == [10]


def test_it_says_how_long_and_what_to_do() -> None:
    shortage = Shortage()
    told(shortage, 0.0, PATIENCE - 1)
    text = shortage.told(PATIENCE + 1.5)
    assert text is not None and "for 12 s so far" in text and "close other sockets" in text


def test_what_was_spared_stays_for_a_while() -> None:
    shortage = Shortage()
    assert shortage.may_spare(1.0)
    shortage.spared(1.0)
    assert not shortage.may_spare(0.9 + SPARE_SECONDS) and shortage.may_spare(1.0 + SPARE_SECONDS)
