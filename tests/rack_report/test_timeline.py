from __future__ import annotations

import pytest

from bridge.rack_report import BoardReport, Collector, Evidence, Phase, RackReport
from bridge.rack_report.element import Element
from bridge.rack_report.timeline import timeline


def run(*tests: tuple[str | None, float, float, str], boards: tuple[BoardReport, ...] = ()) -> RackReport:
    """Tests as (place, begin, seconds, outcome)."""
    collector = Collector(0.0)
    for board in boards:
        collector.add_board(board)
    for number, (place, begin, seconds, outcome) in enumerate(tests):
        told = None if place is None else {"place": place}
        collector.add(Phase(f"t{number}", "call", outcome, begin, seconds, attached=told))  # type: ignore[arg-type]
    return collector.report(10.0)


def lanes(element: Element) -> list[Element]:
    return [svg for svg in element.findall("svg") if svg.get("class") == "lane"]


def bars(lane: Element) -> list[Element]:
    return [rect for rect in lane.iter("rect") if (rect.get("class") or "").startswith("bar")]


def test_each_board_has_a_lane_and_each_test_a_bar_where_and_when_it_ran() -> None:
    made = timeline(run(("a", 0.0, 2.0, "passed"), ("b", 5.0, 5.0, "passed"), ("a", 2.0, 1.0, "passed")), {})
    first, second = lanes(made)
    assert [(bar.get("x"), bar.get("width")) for bar in bars(first)] == [("0.000%", "20.000%"), ("20.000%", "10.000%")]
    assert [(bar.get("x"), bar.get("width")) for bar in bars(second)] == [("50.000%", "50.000%")]


def test_a_board_that_ran_nothing_has_a_lane_and_a_test_without_a_board_too() -> None:
    made = timeline(run((None, 0.0, 1.0, "skipped"), boards=(BoardReport(place="idle"),)), {})
    assert [len(bars(lane)) for lane in lanes(made)] == [0, 1]
    assert [name.text for name in made.iter("span") if name.get("class") == "place"] == ["idle", "no board"]


def test_a_failure_among_thousands_is_wide_enough_to_be_seen_and_on_top() -> None:
    tests = [("a", at / 1000, 0.001, "failed" if at == 500 else "passed") for at in range(10_000)]
    [lane] = lanes(timeline(run(*tests), {}))
    last = bars(lane)[-1]
    assert last.get("class") == "bar is-test" and float((last.get("width") or "").rstrip("%")) >= 0.4
    assert all(
        float(bar.get("x", "").rstrip("%")) + float(bar.get("width", "").rstrip("%")) <= 100.001 for bar in bars(lane)
    )


def test_when_something_was_seen_on_a_board_is_marked() -> None:
    seen = [
        Evidence(said="It hung.", seconds=5.0),
        Evidence(said="It hung long ago."),
        Evidence(said="x", seconds=99.0),
    ]
    made = timeline(run(("a", 0.0, 10.0, "passed"), boards=(BoardReport(place="a", state="sick", evidence=seen),)), {})
    marks = [each for each in lanes(made)[0].iter("rect") if each.get("class") == "seen"]
    assert [each.get("x") for each in marks] == ["50.000%", "100.000%"]
    assert "".join(marks[0].itertext()) == "It hung.\n5.0 s after the beginning"


def test_it_begins_with_the_first_test_and_ends_with_the_last() -> None:
    collector = Collector(0.0)
    told = {"place": "a", "waited": 2.0}
    collector.add(Phase("t", "call", "passed", 20.0, 6.0, attached=told))
    made = timeline(collector.report(60.0), {})
    [bar] = bars(lanes(made)[0])
    assert (bar.get("x"), bar.get("width")) == ("0.000%", "100.000%")
    assert [text.text for text in made.iter("text")][0] == "22 s"


def test_a_failure_leads_to_what_is_known_of_it() -> None:
    [lane] = lanes(timeline(run(("a", 0.0, 1.0, "failed")), {0: "t0"}))
    [link] = lane.findall("a")
    assert link.get("href") == "#t0" and len(bars(lane)) == 1


def test_from_when_on_a_board_was_out_is_shown() -> None:
    out = BoardReport(place="a", state="quarantined", evidence=[Evidence(said="It hung.", seconds=4.0)])
    lane, _ = lanes(timeline(run(("a", 0.0, 4.0, "passed"), ("b", 4.0, 6.0, "passed"), boards=(out,)), {}))
    [shade] = [rect for rect in lane.iter("rect") if rect.get("class") == "out"]
    assert (shade.get("x"), shade.get("width")) == ("40.000%", "60.000%")


@pytest.mark.parametrize(
    ("seconds", "last"),
    [(0.05, "0.05 s"), (3.0, "3 s"), (50.0, "50 s"), (400.0, "6:00"), (7200.0, "2:00:00"), (9e6, None)],
)
def test_the_axis_has_few_marks_in_words(seconds: float, last: str | None) -> None:
    made = timeline(Collector(0.0).report(seconds), {})
    [axis] = [svg for svg in made.findall("svg") if svg.get("class") == "axis"]
    words = [text.text for text in axis.findall("text")]
    assert 1 <= len(words) <= 9
    assert last is None or words[-1] == last
