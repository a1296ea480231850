from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.rtt import MAX_WAIT, MIN_WAIT, RoundTrip


def test_the_first_sample_replaces_the_guess() -> None:
    trip = RoundTrip(0.1)
    trip.sample(0.02)
    assert trip.mean == 0.02 and trip.wait() == 0.02 + 4 * 0.01


def test_steady_samples_bring_the_wait_near_them() -> None:
    trip = RoundTrip()
    for _ in range(60):
        trip.sample(0.1)
    assert 0.1 <= trip.wait() < 0.101


def test_each_timeout_doubles_the_wait_and_an_answer_ends_that() -> None:
    trip = RoundTrip(0.02)
    first = trip.wait()
    trip.timed_out()
    trip.timed_out()
    assert trip.wait() == 4 * first
    trip.heard()
    assert trip.wait() == first


@given(st.lists(st.one_of(st.none(), st.floats(-1, 100)), max_size=40))
def test_the_wait_has_bounds(samples: list[float | None]) -> None:
    trip = RoundTrip()
    for sample in samples:
        if sample is None:
            trip.timed_out()
        else:
            trip.sample(sample)
        assert MIN_WAIT <= trip.wait() <= MAX_WAIT
