"""Reports that come late: a test has long been reported when something that it left behind does harm.

They travel with the report of the test during which it was found, from a worker of pytest-xdist as well, and are made
here, in the process that writes all reports.
"""

from __future__ import annotations

from typing import Any

import pytest

from bridge.pytest_plugin.findings import CHUNK, Finding, Visit


def late_report(during: str, visit: Visit, finding: Finding) -> dict[str, Any]:
    """A finding for a test that has been reported already, to travel with another report.

    Args:
        during: when it was found: the nodeid of a test, or another word for it.
        visit: where.
        finding: what; it has an owner.
    """
    return {
        "owner": finding.owner,
        "text": f"{finding.text}.\nThis was found on {visit.place} ({visit.port}) later, {during}.",
        "facts": {**visit.facts("test"), "finding": finding.text, "kinds": [finding.kind], "late": []},
    }


class LateReports:
    """Makes reports of what other reports bring with them.

    Args:
        config: of pytest.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._hook = config.hook
        self._charged: list[str] = []
        #: Chunk → the test whose it is.
        self._tests: dict[str, str] = {}
        self._locations: dict[str, tuple[str, int | None, str]] = {}

    def look(self, report: pytest.TestReport, facts: dict[str, Any]) -> None:
        """A report of a test on a board has come: look what it brings with it.

        Args:
            report: the report.
            facts: its `nodemcu`.
        """
        self._tests.setdefault(facts["chunk"], report.nodeid)
        self._locations.setdefault(report.nodeid, report.location)
        for late in facts.pop("late", ()):
            self.make(late, getattr(report, "node", None))
        if facts["charged_to"] == "board" and report.when == "call":
            self._charged.append(str(facts["notes"][-1]))

    def summary(self, terminal: pytest.TerminalReporter) -> None:
        """Write what boards are charged with to the end of the terminal's text."""
        if self._charged:
            terminal.section("boards that are charged")
            for line in self._charged:
                terminal.line(line)

    def make(self, late: dict[str, Any], node: object = None) -> None:
        """Make a late report and hand it to everybody.

        Args:
            late: from `late_report`.
            node: the worker that it comes from, if it comes from one.
        """
        owner: str = late["owner"]
        if owner.startswith(CHUNK):
            chunk = owner.removeprefix(CHUNK)
            owner = self._tests.get(chunk, f"a test of an earlier run ({chunk})")
        facts = late["facts"]
        sections = [(f"console of {facts['place']}", facts["console"])] if facts["console"] else []
        report = pytest.TestReport(
            nodeid=owner,
            location=self._locations.get(owner, (owner.partition("::")[0], None, owner)),
            keywords={},
            outcome="failed",
            longrepr=late["text"],
            when="call",
            sections=sections,
        )
        report.nodemcu = facts  # type: ignore[attr-defined]
        if node is not None:
            report.node = node  # type: ignore[attr-defined]
        self._hook.pytest_runtest_logreport(report=report)
