from __future__ import annotations

from typing import Any, Literal

import pytest

from bridge.rack_report import BoardReport, Collector, Evidence, Phase, RackReport, TestReport
from bridge.rack_report.collect import MOST_POINTS

When = Literal["setup", "call", "teardown"]
Outcome = Literal["passed", "failed", "skipped", "rerun"]


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
    one, two = (phase("t", when, "failed", message=when) for when in ("call", "teardown"))
    test = only(collected(one, two))
    assert test.outcome == "failed"
    assert test.message is not None and test.message.head == "call\nteardown"


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


def again(nodeid: str, place: str, finding: str) -> Phase:
    """The report of a run that counts for nothing."""
    return phase(nodeid, "call", "rerun", attached={"place": place, "finding": finding, "charged_to": None})


def test_where_a_test_passes_at_last_the_board_is_to_blame_on_which_it_did_not() -> None:
    report = collected(again("t", "b", "It hung."), *whole("t", "a", told={"charged_to": "board"}))
    first, second = report.tests
    assert (first.outcome, first.charged_to, first.attempt, first.last) == ("again", "board", 1, False)
    assert (second.outcome, second.charged_to, second.attempt, second.last) == ("passed", None, 2, True)
    totals = report.totals
    assert (totals.tests, totals.passed, totals.failed, totals.again) == (1, 1, 0, 1)
    assert [(board.place, board.state) for board in report.boards] == [("a", "healthy"), ("b", "sick")]
    assert report.boards[1].evidence[0].said == "It hung."


def test_what_happens_on_two_boards_is_the_tests_fault_both_times() -> None:
    bad = {"charged_to": "test", "finding": "It hung again."}
    report = collected(again("t", "b", "It hung."), *whole("t", "a", outcome="failed", told=bad))
    assert [(test.outcome, test.charged_to) for test in report.tests] == [("again", "test"), ("failed", "test")]
    assert report.totals.sick == 0 and report.totals.charged_to_test == 1


def test_a_test_that_was_hit_by_another_one_is_nobodys_fault_here() -> None:
    report = collected(again("t", "b", "Lua erred."), *whole("t", "b"))
    assert [(test.outcome, test.charged_to) for test in report.tests] == [("again", "other test"), ("passed", None)]


def test_a_test_that_comes_a_second_time_by_another_plugin_is_run_again() -> None:
    report = collected(phase("t", "setup"), phase("t", "call", "rerun"), phase("t", "teardown"), *whole("t", "a"))
    assert [(test.attempt, test.outcome) for test in report.tests] == [(1, "again"), (2, "passed")]


def test_what_is_found_later_makes_a_test_fail_that_had_passed() -> None:
    late = {"place": "a", "finding": "It left a timer.", "charged_to": "test", "heap": [[9.0, 1]], "console": "boom"}
    report = collected(
        *whole("first", "a"),
        *whole("second", "a"),
        phase("first", "call", "failed", at=0.0, seconds=0.0, message="later", attached=late),
    )
    first, second = report.tests
    assert (first.outcome, first.findings, first.charged_to) == ("failed", ["It left a timer."], "test")
    assert (first.started, first.heap, first.last) == (0.0, [], True)
    assert (second.outcome, second.findings) == ("passed", [])
    assert first.console is not None and first.console.head == "boom"


def test_what_is_found_of_a_test_that_nobody_knows_is_told() -> None:
    late = {"place": "a", "finding": "It left a timer.", "charged_to": "test"}
    test = only(collected(phase("a test of an earlier run (t5)", "call", "failed", at=0.0, attached=late)))
    assert (test.outcome, test.place, test.started) == ("failed", "a", 0.0)


def test_what_was_waited_for_a_board_is_told_apart() -> None:
    report = collected(*whole("t", "a", told={"waited": 3.5, "notes": ["The agent reports: none."]}))
    assert (only(report).waited, only(report).notes) == (3.5, ["The agent reports: none."])


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


def test_what_the_rack_and_a_test_say_alike_is_told_once() -> None:
    collector = Collector(started=100.0)
    collector.add_board(BoardReport(place="b", state="sick", evidence=[Evidence(said="it hung", nodeid="t")]))
    for each in (again("t", "b", "it hung"), *whole("t", "a", told={"charged_to": "board"})):
        collector.add(each)
    [evidence] = collector.report(ended=110.0).boards[1].evidence
    assert (evidence.said, evidence.nodeid) == ("It hung.", "t")


def test_boards_stand_in_the_order_of_their_numbers() -> None:
    report = collected(*(each for name in ("s-10", "s-9", "s-1") for each in whole(f"t-{name}", name)))
    assert [board.place for board in report.boards] == ["s-1", "s-9", "s-10"]


def test_what_cannot_be_read_is_a_finding_and_loses_nothing() -> None:
    test = only(collected(phase("t", "call", "failed", message="why", attached={"place": "a", "heap": "much"})))
    assert test.findings == ["What was attached to this test's report cannot be read: heap is not what it should be."]
    assert (test.outcome, test.place) == ("failed", "a")


def test_a_test_that_was_cut_off_when_its_process_ended_has_failed() -> None:
    test = only(collected(phase("t", "setup", attached={"place": "a"}), phase("t", "???", "failed", message="crashed")))
    assert (test.outcome, test.place) == ("failed", "a")


def test_findings_are_sentences() -> None:
    test = only(collected(phase("t", "call", attached={"finding": "left 2 objects", "notes": ["one more!"]})))
    assert (test.findings, test.notes) == (["Left 2 objects."], ["One more!"])


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


def test_what_must_not_be_shown_is_shown_nowhere() -> None:
    collector = Collector(started=100.0, blank=lambda text: text.replace("hunter2", "*******"))
    said = "the key is hunter2"
    told = {"place": "p", "console": said, "finding": said, "notes": [said], "charged_to": "board", "firmware": said}
    for number in (1, 2):  # the same name once it is blanked, and no two attempts at one test
        name = f"a.py::t[hunter2{'x' * number}]"
        collector.add(phase(name, "call", "failed", message=said, attached=told))
    collector.add_board(
        BoardReport(place="q", firmware=said, evidence=[Evidence(said=said, nodeid="a.py::t[hunter2]")])
    )
    collector.interrupted = said
    report = collector.report(ended=110.0)
    assert "hunter2" not in report.model_dump_json()
    assert [test.nodeid for test in report.tests] == ["a.py::t[*******x]", "a.py::t[*******xx]"]
    assert report.boards[0].evidence[0].nodeid == report.tests[0].nodeid
