"""The few kinds of ends that a reader tells apart: it passed, it failed and whose fault that is, it was left out."""

from __future__ import annotations

from typing import Literal

from bridge.rack_report.model import TestReport

Kind = Literal["passed", "test", "board", "again", "skipped"]
#: Those of which a reader wants to know more, what is to be mended first.
NOT_WELL: tuple[Kind, ...] = ("test", "board", "again")
#: The order in which they are told.
KINDS: tuple[Kind, ...] = ("passed", "test", "board", "again", "skipped")

#: A sign for each that needs no colour.
GLYPHS: dict[Kind, str] = {"passed": "✓", "test": "✕", "board": "↯", "again": "↻", "skipped": "–"}
NAMES: dict[Kind, str] = {
    "passed": "passed",
    "test": "failed, the test's fault",
    "board": "failed, a board's fault",
    "again": "run again",
    "skipped": "skipped",
}


def kind_of(test: TestReport) -> Kind:
    """Which kind a test's end is of. What failed and is charged to nobody is the test's."""
    if test.outcome == "again":
        return "board" if test.charged_to == "board" else "again"
    if test.outcome in ("failed", "error"):
        return "board" if test.charged_to == "board" else "test"
    return "passed" if test.outcome in ("passed", "xpassed") else "skipped"


def charge_words(test: TestReport) -> str:
    """Whose fault it was, in words; empty where nothing was anybody's."""
    if test.outcome not in ("failed", "error", "again"):
        return ""
    if test.charged_to == "board":
        return f"charged to the board {test.place}" if test.place else "charged to a board"
    return "charged to another test" if test.charged_to == "other test" else "charged to the test"


def kind_words(test: TestReport) -> str:
    """How it ended, in words."""
    words = {
        "passed": "passed",
        "failed": "failed",
        "error": "failed before or after the test itself",
        "skipped": "skipped",
        "xfailed": "failed, as expected",
        "xpassed": "passed, which was not expected",
        "again": "run again",
    }[test.outcome]
    if charge := charge_words(test):
        words += f", {charge}"
    if test.attempt > 1:
        words += f" at attempt {test.attempt}"
    return words
