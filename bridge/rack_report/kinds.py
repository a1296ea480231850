"""The few kinds of ends that a reader tells apart: it passed, it failed and whose fault that is, it was left out."""

from __future__ import annotations

from typing import Literal

from bridge.rack_report.model import TestReport

Kind = Literal["passed", "test", "board", "skipped"]

#: A sign for each that needs no colour.
GLYPHS: dict[Kind, str] = {"passed": "✓", "test": "✕", "board": "↯", "skipped": "–"}
NAMES: dict[Kind, str] = {
    "passed": "passed",
    "test": "failed, the test's fault",
    "board": "failed, a board's fault",
    "skipped": "skipped",
}


def kind_of(test: TestReport) -> Kind:
    """Which kind a test's end is of. What failed and is charged to nobody is the test's."""
    if test.outcome in ("failed", "error"):
        return "board" if test.charged_to == "board" else "test"
    return "passed" if test.outcome in ("passed", "xpassed") else "skipped"


def kind_words(test: TestReport) -> str:
    """How it ended, in words."""
    words = {
        "passed": "passed",
        "failed": "failed",
        "error": "failed before or after the test itself",
        "skipped": "skipped",
        "xfailed": "failed, as expected",
        "xpassed": "passed, which was not expected",
    }[test.outcome]
    kind = kind_of(test)
    if kind in ("test", "board"):
        words += f", charged to the {kind}"
    if not test.last:
        words += ", then run again"
    elif test.attempt > 1:
        words += f" at attempt {test.attempt}"
    return words
