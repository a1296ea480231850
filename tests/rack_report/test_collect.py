from __future__ import annotations

from typing import Any, Literal

import pytest

from bridge.rack_report import BoardReport, Collector, Evidence, Phase, RackReport, TestReport
from bridge.rack_report.collect import MOST_POINTS

When = Literal["setup", "call", "teardown"]
Outcome = Literal["passed", "failed", "skipped"]


def phase(nodeid: str, when: When, outcome: Outcome = "passed", at: float = 100.0, **more: Any) -> Phase:
    return Phase(nodeid, when, outcome, at, more.pop("seconds", 0.5), **more)


def collected(*phases: Phase) -> RackReport:
    collector = Collector(started=100.0)
    for each in phases:
        collector.add(each)
    return collector.report(ended=110.0)


def only(report: RackReport) -> TestReport:
    [test] = report.tests
    return test


def whole(nodeid: str, place: str, **call: Any) -> list[Phase]:
    board = {"place": place, "port": "rfc2217://127.0.0.1:4000", "mac": "5c:cf:7f:00:00:01"}
    told = {**board, **call.pop("told", {})}
    return [
        phase(nodeid, "setup", attached=board),
        phase(nodeid, "call", attached=told, **call),
        phase(nodeid, "teardown", attached=board),
    ]


def test_a_test_is_what_its_phases_are() -> None:
    setup = phase("a.py::t", "setup", at=101.0, seconds=1.0, attached={"place": "p", "heap": [[0.0, 40_000]]})
    call = phase("a.py::t", "call", at=102.0, seconds=2.0, worker="gw1")
    teardown = phase("a.py::t", "teardown", at=104.0, seconds=0.25, attached={"place": "p", "heap": [[3.0, 39_900]]})
    test = only(collected(setup, call, teardown))
    assert (test.outcome, test.seconds, test.started) == ("passed", 3.25, 1.0)
    assert (test.place, test.worker) == ("p", "gw1")
    assert (test.heap_before, test.heap_after, test.heap) == (40_000, 39_900, [(0.0, 40_000), (3.0, 39_900)])


@pytest.mark.parametrize(
    ("when", "outcome", "xfail", "ended"),
    [
        ("call", "passed", False, "passed"),
        ("call", "failed", False, "failed"),
        ("setup", "failed", False, "error"),
        ("teardown", "failed", False, "error"),
        ("setup", "skipped", False, "skipped"),
        ("call", "skipped", True, "xfailed"),
        ("call", "passed", True, "xpassed"),
    ],
)
def test_outcomes_are_those_of_pytest(when: When, outcome: Outcome, xfail: bool, ended: str) -> None:
    assert only(collected(phase("t", when, outcome, xfail=xfail))).outcome == ended


def test_a_failure_counts_more_than_an_error_after_it() -> None:
    test = only(collected(phase("t", "call", "failed", message="one"), phase("t", "teardown", "failed", message="two")))
    assert test.outcome == "failed"
    assert test.message is not None and test.message.head == "one\ntwo"


def test_a_failure_is_the_tests_own_unless_it_is_charged_to_the_board() -> None:
    bad = {"charged_to": "board", "finding": "It restarted."}
    report = collected(
        *whole("own", "a", outcome="failed"),
        *whole("theirs", "b", outcome="failed", told=bad),
        *whole("well", "a"),
    )
    assert (report.totals.failed, report.totals.charged_to_test, report.totals.charged_to_board) == (2, 1, 1)
    assert [(board.place, board.state) for board in report.boards] == [("a", "healthy"), ("b", "sick")]
    assert report.boards[1].evidence == [Evidence(said="It restarted.", nodeid="theirs", seconds=0.0)]


def test_a_test_that_is_run_again_counts_once_and_its_first_attempt_stays() -> None:
    bad = {"charged_to": "board", "finding": "It hung.", "state": "quarantined"}
    report = collected(*whole("t", "b", outcome="failed", told=bad), *whole("t", "a"))
    assert [(test.attempt, test.last, test.outcome) for test in report.tests] == [
        (1, False, "failed"),
        (2, True, "passed"),
    ]
    assert (report.totals.tests, report.totals.passed, report.totals.failed, report.totals.again) == (1, 1, 0, 1)
    assert report.totals.quarantined == 1 and report.boards[1].evidence[0].said == "It hung."


def test_what_is_found_later_is_charged_to_the_test_that_is_named() -> None:
    collector = Collector(started=100.0)
    for each in (*whole("first", "a"), *whole("second", "a")):
        collector.add(each)
    collector.add_late("first", {"place": "a", "finding": "It left a timer behind.", "charged_to": "test"})
    first, second = collector.report(ended=110.0).tests
    assert (first.findings, first.charged_to) == (["It left a timer behind."], "test")
    assert (second.findings, second.charged_to) == ([], None)


def test_what_is_known_of_a_board_from_elsewhere_is_kept() -> None:
    collector = Collector(started=100.0)
    collector.add_board(
        BoardReport(place="c", port="/dev/c", state="quarantined", evidence=[Evidence(said="Three failures.")])
    )
    collector.add_board(BoardReport(place="a", mac="5c:cf:7f:00:00:01"))
    for each in whole("t", "a"):
        collector.add(each)
    a, c = collector.report(ended=110.0).boards
    assert (a.port, a.state) == ("rfc2217://127.0.0.1:4000", "healthy")
    assert (c.state, c.evidence[0].said) == ("quarantined", "Three failures.")


def test_boards_stand_in_the_order_of_their_numbers() -> None:
    report = collected(*(each for name in ("s-10", "s-9", "s-1") for each in whole(f"t-{name}", name)))
    assert [board.place for board in report.boards] == ["s-1", "s-9", "s-10"]


def test_what_cannot_be_read_is_a_finding_and_loses_nothing() -> None:
    test = only(collected(phase("t", "call", "failed", message="why", attached={"place": "a", "heap": "much"})))
    assert test.findings == ["What was attached to this test's report cannot be read: heap is not what it should be."]
    assert (test.outcome, test.place) == ("failed", "a")


def test_a_test_that_was_cut_off_after_its_setup_is_there() -> None:
    report = collected(phase("t", "setup", attached={"place": "a"}))
    assert only(report).outcome == "passed" or only(report).outcome == "error"


def test_of_a_long_curve_its_ends_and_its_lowest_stay() -> None:
    heap = [[float(at), 40_000 - at % 7] for at in range(5000)]
    heap[2345][1] = 123
    test = only(collected(phase("t", "call", attached={"place": "a", "heap": heap})))
    assert len(test.heap) <= MOST_POINTS
    assert (test.heap[0], test.heap[-1]) == ((0.0, 40_000), (4999.0, 40_000 - 4999 % 7))
    assert min(size for _, size in test.heap) == 123


def test_a_report_can_be_written_and_read_again() -> None:
    report = collected(*whole("t\ud800", "a", told={"console": "\x00", "heap": [[0.0, 1], [1.0, 2]]}))
    assert RackReport.model_validate_json(report.model_dump_json()) == report
