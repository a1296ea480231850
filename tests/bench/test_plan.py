from __future__ import annotations

from pathlib import Path

import pytest

from bridge.bench.plan import DEFAULT_ROWS, Amounts, Plan, Row, choose_rows, parse_bauds, parse_latencies, parse_rows
from bridge.errors import UsageError


def test_rows_read_as_they_are_written() -> None:
    assert parse_rows("115200/1, 921600/16,115200/1") == (Row(115_200, 1.0), Row(921_600, 16.0))
    assert parse_bauds("9600,921600") == (9_600, 921_600)
    assert parse_latencies("0,2.5,255") == (0.0, 2.5, 255.0)


@pytest.mark.parametrize(
    "text", ["115200", "", "115200/", "/1", "fast/1", "115200/1,", "115200/-1", "1/1", "115200/nan"]
)
def test_what_is_no_row_is_named(text: str) -> None:
    with pytest.raises(UsageError, match="--rows") as caught:
        parse_rows(text)
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["", "115200,", "-1", "1e6", "4000000", "٣٣٣٣٣", "100000", "9" * 5000])
def test_what_is_no_speed_is_named(text: str) -> None:
    with pytest.raises(UsageError, match="is not a speed"):
        parse_bauds(text)


@pytest.mark.parametrize("text", ["", "-1", "256", "nan", "inf", "soon"])
def test_what_is_no_latency_is_named(text: str) -> None:
    with pytest.raises(UsageError, match="is not a latency timer"):
        parse_latencies(text)


def test_what_is_measured_when_nothing_is_asked_for() -> None:
    assert choose_rows("virtual:", rows=None, baud=None, latency=None) == DEFAULT_ROWS
    assert choose_rows("/dev/ttyUSB0", rows=None, baud=None, latency=None) == (Row(115_200, None),)


def test_lists_of_speeds_and_latencies_make_every_pair() -> None:
    rows = choose_rows("virtual:", rows=None, baud="115200,921600", latency="1,16")
    assert rows == tuple(Row(baud, ms) for baud in (115_200, 921_600) for ms in (1.0, 16.0))
    assert choose_rows("virtual:", rows=None, baud=None, latency="16") == (Row(115_200, 16.0),)
    assert choose_rows("COM5", rows=None, baud="921600", latency=None) == (Row(921_600, None),)


@pytest.mark.parametrize(
    ("url", "given"),
    [
        ("virtual:", {"rows": "115200/1", "baud": "115200", "latency": None}),
        ("virtual:", {"rows": "115200/1", "baud": None, "latency": "1"}),
        ("/dev/ttyUSB0", {"rows": "115200/1", "baud": None, "latency": None}),
        ("/dev/ttyUSB0", {"rows": None, "baud": None, "latency": "1"}),
    ],
)
def test_what_cannot_be_together_is_refused(url: str, given: dict[str, str | None]) -> None:
    with pytest.raises(UsageError):
        choose_rows(url, **given)


def test_a_plan_draws_the_same_lots_for_one_purpose_in_each_run() -> None:
    plan = Plan("virtual:", DEFAULT_ROWS, seed=3)
    assert plan.rng("file").random() == plan.rng("file").random() != plan.rng("epoch").random()
    assert Plan("virtual:", DEFAULT_ROWS, seed=4).rng("file").random() != plan.rng("file").random()


def test_the_clock_is_virtual_unless_the_url_says_otherwise() -> None:
    clocks = {
        url: Plan(url, DEFAULT_ROWS).virtual_clock
        for url in ("virtual:", "virtual:?lua=5.3", "virtual:?clock=wall", "/dev/ttyUSB0")
    }
    assert list(clocks.values()) == [True, True, False, False]


def test_a_fast_line_is_given_more_to_carry() -> None:
    plan = Plan("virtual:", DEFAULT_ROWS, amounts=Amounts(bytes_at_115200=1000))
    assert [plan.volume(row) for row in DEFAULT_ROWS] == [1000, 1000, 2000]


def test_a_row_says_what_it_is() -> None:
    assert [str(row) for row in (Row(115_200, 16.0), Row(921_600, None))] == ["115200 baud, 16 ms", "921600 baud"]


def test_a_trace_is_a_file_for_each_line() -> None:
    one = Plan("virtual:", (Row(115_200, 1.0),), trace=Path("a/bench.trace"))
    assert one.trace_of(one.rows[0]) == Path("a/bench.trace")
    more = Plan("virtual:", (Row(115_200, 1.0), Row(921_600, None)), trace=Path("a/bench.trace"))
    assert [more.trace_of(row) for row in more.rows] == [Path("a/bench-115200-1.trace"), Path("a/bench-921600.trace")]
    assert Plan("virtual:", DEFAULT_ROWS, trace=Path("/")).trace_of(DEFAULT_ROWS[0]) == Path("/")
    assert Plan("virtual:", DEFAULT_ROWS).trace_of(DEFAULT_ROWS[0]) is None
