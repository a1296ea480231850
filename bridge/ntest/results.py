"""What came of a test file and of its sub-tests. Times are seconds."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """What came of a sub-test."""

    PASSED = "passed"
    FAILED = "failed"
    """An assertion was not met, or there was an error that none expected."""
    UNFINISHED = "unfinished"
    """The run was over while it ran."""
    SKIPPED = "skipped"
    """It said so itself, by TAP's directives SKIP or TODO."""


class Ending(StrEnum):
    """How a run ended."""

    COMPLETE = "complete"
    """The file said how many assertions there were, and the board answered afterwards."""
    BAILED_OUT = "bailed out"
    """TAP's `Bail out!`, or the file could not be loaded, or raised outside its tests."""
    RESTARTED = "restarted"
    """The board restarted, or said PANIC."""
    SILENT = "silent"
    """No line of TAP within the time for one."""
    NOT_ANSWERING = "not answering"
    """The tests ended, and the board's prompt does not answer any more."""


@dataclass(frozen=True)
class Assertion:
    """One line `ok` or `not ok`.

    Attributes:
        good: it was met.
        number: its own, None if it has none.
        text: what it is about, with the reason if it was not met.
        excuse: of TAP's directives SKIP and TODO, with what stands behind them; None without.
    """

    good: bool
    number: int | None
    text: str
    excuse: str | None = None


@dataclass
class SubTest:
    """What came of one `N.test`, `N.testasync` or `N.testco`.

    Attributes:
        name: its own; from the second one of that name on with " (2)", " (3)" behind.
        began: when, on the clock that the reader was given.
        seconds: how long it ran.
        unfinished: why the run was over before it was, or None.
    """

    name: str
    began: float
    seconds: float = 0.0
    assertions: list[Assertion] = field(default_factory=list)
    console: str = ""
    unfinished: str | None = None

    @property
    def outcome(self) -> Outcome:
        """What came of it."""
        if any(not each.good and each.excuse is None for each in self.assertions):
            return Outcome.FAILED
        if self.unfinished is not None:
            return Outcome.UNFINISHED
        if self.assertions and all(each.excuse is not None for each in self.assertions):
            return Outcome.SKIPPED
        return Outcome.PASSED

    @property
    def why(self) -> str:
        """Why it did not pass, a line for each reason; empty if it did."""
        said = [each.text for each in self.assertions if not each.good and each.excuse is None]
        if self.unfinished is not None:
            said.append(self.unfinished)
        if not said and self.outcome is Outcome.SKIPPED:
            said += [each.excuse for each in self.assertions if each.excuse is not None][:1]
        return "\n".join(said)


@dataclass
class FileRun:
    """What came of a test file.

    Attributes:
        file: its name on the board.
        reason: a sentence on how it ended; empty if it is complete.
        problems: what is wrong with the TAP itself, in sentences: lines that are missing or that nobody understands.
        console: what the board said outside its sub-tests.
    """

    file: str
    ending: Ending
    reason: str = ""
    problems: list[str] = field(default_factory=list)
    sub_tests: list[SubTest] = field(default_factory=list)
    console: str = ""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Everything ran, and nothing failed."""
        bad = (Outcome.FAILED, Outcome.UNFINISHED)
        return self.whole and not any(each.outcome in bad for each in self.sub_tests)

    @property
    def whole(self) -> bool:
        """It ran to its end, and every line of its TAP is there; a sub-test may have failed."""
        return self.ending is Ending.COMPLETE and not self.problems

    @property
    def why(self) -> str:
        """Why it is not whole, a line for each reason."""
        return "\n".join([self.reason] * bool(self.reason) + self.problems)

    def to_json(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> FileRun:
        """What `to_json` gave."""
        tests = [
            SubTest(**{**each, "assertions": [Assertion(**one) for one in each["assertions"]]})
            for each in data["sub_tests"]
        ]
        return cls(**{**data, "ending": Ending(data["ending"]), "sub_tests": tests})
