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


def test_failures_of_tests_are_named_first_and_only_few() -> None:
    [named] = [each for each in top(made_run(40, 2000), {}).findall("ul") if each.get("class") == "first"]
    signs = [row.find("span").get("class") for row in named.findall("li")[:-1]]  # type: ignore[union-attr]
    assert signs == ["sign is-test"] * 8
    assert (named.findall("li")[-1].text or "").endswith("more below")


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
