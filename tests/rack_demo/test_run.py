"""What the demo expects; the demo itself is run in tests/cli/test_rack_demo.py."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from bridge.errors import UsageError
from bridge.rack_demo.run import WRONG, run_demo, surprises
from bridge.rack_report import BoardReport, Collector, Phase, RackReport


def run(*, tests: int = 60, wrong: frozenset[str] = WRONG, ill: tuple[str, ...] = ("a", "b")) -> RackReport:
    collector = Collector(0.0)
    names = [*sorted(wrong), *(f"test_{number}" for number in range(tests - len(wrong)))]
    for name in names:
        collector.add(Phase(f"f.py::{name}", "call", "failed" if name in wrong else "passed", 1.0, 1.0))
    for place in ("a", "b", "c"):
        collector.add_board(BoardReport(place=place, state="sick" if place in ill else "healthy"))
    return collector.report(2.0)


def test_a_run_that_went_as_it_should_has_no_surprise() -> None:
    assert surprises(run(), "a", "b") == []


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (run(wrong=WRONG | {"test_x"}), "test_x did not pass and should have."),
        (
            run(wrong=frozenset({"test_wrong_about_the_answer"})),
            "test_leaves_a_timer_behind passed and should not have.",
        ),
        (run(tests=59), "59 tests ran, and not 60."),
        (run(ill=("a",)), "Nothing was found wrong with b."),
        (run(ill=("a", "b", "c")), "c is blamed for nothing."),
    ],
)
def test_what_went_otherwise_is_said(report: RackReport, said: str) -> None:
    assert said in surprises(report, "a", "b")


def test_what_it_needs_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="needs pytest.*Install pytest and pytest-xdist"):
        run_demo(tmp_path, print)


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be made .*Name another folder"):
        run_demo(tmp_path / "file" / "x", print)
