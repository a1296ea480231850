"""The report of a comparison: one Markdown file for people, and the same as JSON beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bridge.comparison.facts import Fact, Facts
from bridge.comparison.transcript import Difference

#: Longest piece of an answer that the Markdown shows, in characters.
SHOWN = 300


@dataclass(frozen=True)
class FailedTest:
    """A test of tests/hil that the board did not pass; every one of them passes on the virtual board."""

    name: str
    message: str


@dataclass
class Report:
    """All that a comparison found out.

    Attributes:
        port: URL of the port.
        board: what the board is.
        virtual: what the virtual board is, with its options as they are by default.
        facts: the facts in which the two differ.
        equal_board: URL of the virtual board that is like the board in those facts; behaviour is compared with it.
        tests: tests of tests/hil that failed on the board, and how many passed and were skipped.
        scenarios: console scenarios answered differently, and the names of those answered the same.
        varied: scenarios that stock firmware answers differently from run to run: played, not counted.
        not_played: scenarios that could not be played, and why.
        calibration: path of the file with the measured figures, or None.
    """

    port: str
    board: Facts
    virtual: Facts
    facts: list[Fact]
    equal_board: str
    tests: list[FailedTest] = field(default_factory=list)
    tests_passed: int = 0
    tests_skipped: int = 0
    scenarios: list[Difference] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    varied: list[str] = field(default_factory=list)
    not_played: dict[str, str] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    calibration: str | None = None

    def differences(self) -> list[str]:
        """Everything that differs, one sentence each."""
        return [
            *(f"{fact.name}: {fact.board} (virtual board: {fact.virtual})" for fact in self.facts),
            *(f"test {test.name}: {test.message}" for test in self.tests),
            *(f"scenario {each.scenario}: answered differently at send {each.step}" for each in self.scenarios),
        ]

    def as_json(self) -> str:
        """The report as JSON; `differences` holds every difference as a sentence."""
        return json.dumps({"differences": self.differences(), **asdict(self)}, indent=2) + "\n"

    def as_markdown(self) -> str:
        """The report for people."""
        found = self.differences()
        lines = [
            f"# The board at {self.port}, compared with the virtual board",
            "",
            f"{len(found)} differences." if len(found) != 1 else "1 difference.",
            "",
            *_table(("Fact", "Board", "Virtual board"), [(each.name, each.board, each.virtual) for each in self.facts]),
            "## Behaviour",
            "",
            f"Compared with a virtual board that is like this one in these facts: `{self.equal_board}`.",
            "",
            f"- Tests of tests/hil: {self.tests_passed} passed, {len(self.tests)} failed, "
            f"{self.tests_skipped} skipped.",
            f"- Console scenarios: {len(self.same)} the same, {len(self.scenarios)} different, "
            f"{len(self.not_played)} not played.",
        ]
        if self.varied:
            lines.append(f"- Different, as stock firmware is from run to run (not counted): {', '.join(self.varied)}.")
        lines.append("")
        lines += _table(("Test", "What it said"), [(test.name, test.message) for test in self.tests])
        for each in self.scenarios:
            lines += [f"### Scenario {each.scenario}, send {each.step}", ""]
            lines += [f"- sent: {_code(each.sent)}", f"- the board: {_code(each.board)}"]
            lines += [f"- the virtual board: {_code(each.virtual)}", ""]
        lines += _table(("Not played", "Why"), list(self.not_played.items()))
        if self.figures:
            lines += ["## Speed", ""]
            lines += _table(("Figure", "Measured"), [(name, f"{value:g}") for name, value in self.figures.items()])
            if self.calibration:
                lines += [f"Kept in `{self.calibration}`: a virtual board takes it with `calibration=FILE`.", ""]
        return "\n".join(lines).rstrip() + "\n"

    def write(self, path: Path) -> Path:
        """Write both forms; returns the path of the JSON, which has the Markdown's name and another ending."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.as_markdown(), encoding="utf-8")
        beside = path.with_suffix(".json")
        beside.write_text(self.as_json(), encoding="utf-8")
        return beside


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return [*lines, *("| " + " | ".join(map(_cell, row)) + " |" for row in rows), ""]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")[:SHOWN]


def _code(text: str | None) -> str:
    return "nothing any more" if text is None else f"`{ascii(text)[1:-1][:SHOWN].replace('`', chr(39))}`"
