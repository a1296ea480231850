from __future__ import annotations

from bridge.rack_report import BoardReport, Collector, Phase, RackReport
from bridge.rack_report.top import top
from tests.rack_report.runs import made_run


def classes(report: RackReport) -> str:
    return top(report, {}).get("class") or ""


def test_its_colour_is_that_of_the_worst_that_happened() -> None:
    assert classes(made_run(2, 4, ill=False)) == "top good"
    assert classes(made_run(4, 60)) == "top bad"
    collector = Collector(0.0)
    collector.add_board(BoardReport(place="a", state="sick"))
    collector.add(Phase("t", "call", "passed", 0.0, 1.0))
    assert classes(collector.report(1.0)) == "top ill"


def named(report: RackReport) -> list[str]:
    """What is said of failures, a text for each row."""
    lists = [each for each in top(report, {}).findall("ul") if each.get("class") == "first"]
    return ["|".join(row.itertext()) for each in lists for row in each.findall("li")]


def test_failures_of_tests_are_named_first_and_those_alike_once() -> None:
    of_tests, *of_boards = named(made_run(40, 2000))
    assert of_tests.startswith("✕|tests/hil/test_net_client.py::|")
    assert "|and 68 more like it|" in of_tests and "Left 2 of the board's objects held" in of_tests
    assert [row[0] for row in of_boards] == ["↯", "↯"]


def test_only_few_are_named() -> None:
    collector = Collector(0.0)
    for number in range(30):
        collector.add(Phase(f"t{number}", "call", "failed", number, 1.0, message=f"\nthe {number}th reason\nmore"))
    rows = named(collector.report(30.0))
    assert len(rows) == 9 and rows[-1] == "and 22 more below"
    assert "|the 0th reason" in rows[0]


def test_a_run_without_tests_is_not_a_good_one() -> None:
    report = Collector(0.0).report(0.0)
    assert classes(report) == "top none"
    assert "passed" not in "".join(top(report, {}).itertext())


def test_a_run_in_which_nothing_failed_names_nothing() -> None:
    assert not [each for each in top(made_run(2, 4, ill=False), {}).findall("ul") if each.get("class") == "first"]


def test_the_shares_fill_the_bar() -> None:
    [share] = [each for each in top(made_run(40, 2000), {}).findall("svg") if each.get("class") == "share"]
    widths = [float((rect.get("width") or "").rstrip("%")) for rect in share.findall("rect")]
    assert abs(sum(widths) - 100) < 0.1 and min(widths) > 0.5


def test_why_it_was_interrupted_is_among_the_facts() -> None:
    collector = Collector(0.0, host="bench", command=["pytest", "-x"])
    collector.interrupted = "KeyboardInterrupt"
    words = [*top(collector.report(1.0), {}).itertext()]
    assert {"KeyboardInterrupt", "bench", "pytest -x"} <= {*words}
