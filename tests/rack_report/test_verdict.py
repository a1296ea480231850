from __future__ import annotations

import pytest

from bridge.rack_report import BoardReport, Collector, Phase, RackReport, verdict
from bridge.rack_report.verdict import duration
from tests.rack_report.runs import made_run


def run(
    passed: int, tests: int = 0, boards: int = 0, *, skipped: int = 0, ill: dict[str, str] | None = None,
    interrupted: str | None = None, collected: int | None = None,
) -> RackReport:  # fmt: skip
    collector = Collector(started=0.0)
    for number in range(passed + tests + boards + skipped):
        outcome = "passed" if number < passed else "failed" if number < passed + tests + boards else "skipped"
        told = {"place": "a", "charged_to": "board"} if passed + tests <= number < passed + tests + boards else {}
        collector.add(Phase(f"t{number}", "call", outcome, 0.0, 1.0, attached=told or None))  # type: ignore[arg-type]
    collector.interrupted, collector.collected = interrupted, collected
    for place, state in (ill or {}).items():
        collector.add_board(BoardReport(place=place, state=state))  # type: ignore[arg-type]
    return collector.report(ended=1.0)


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (run(0), "No test ran."),
        (run(1), "The only test passed."),
        (run(3, ill={"a": "healthy"}), "All 3 tests passed on 1 board."),
        (run(2, skipped=1), "2 of 3 tests passed, and none failed."),
        (run(2, tests=1), "2 of 3 tests passed; 1 failure, the fault of the test itself."),
        (run(2, tests=2), "2 of 4 tests passed; 2 failures, the fault of the tests."),
        (run(1, boards=1), "1 of 2 tests passed; 1 failure, the fault of a board; a is sick."),
        (
            run(57, tests=2, boards=1, ill={"b": "quarantined"}),
            "57 of 60 tests passed; 2 failures charged to the tests, 1 to a board; b is quarantined, a is sick.",
        ),
        (run(2, ill={"a": "sick", "b": "sick"}), "All 2 tests passed on 2 boards; a and b are sick."),
        (
            run(1, ill={name: "sick" for name in "abcdefg"}),
            "The only test passed on 7 boards; a, b, c and 4 more are sick.",
        ),
        (
            run(2, interrupted="Ctrl-C", collected=5),
            "All 2 tests that ran passed; the run was interrupted with 3 tests left to run.",
        ),
        (run(0, interrupted="Ctrl-C"), "No test ran; the run was interrupted."),
    ],
)
def test_one_sentence_says_how_it_went_and_whose_fault_what_was(report: RackReport, said: str) -> None:
    assert verdict(report) == said


def test_what_was_run_again_for_a_board_is_told() -> None:
    assert verdict(made_run(4, 60)) == (
        "57 of 60 tests passed; 2 failures, the fault of the tests; 2 were run again, the fault of boards; "
        "shelf-4 is quarantined, shelf-3 is sick."
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "0 ms"), (0.0434, "43 ms"), (0.9999, "1.0 s"), (1.44, "1.4 s"), (59.96, "1 min 0 s"), (125, "2 min 5 s"),
     (3725, "1 h 2 min")],
)  # fmt: skip
def test_times_are_told_as_people_tell_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words
