"""How a test on a board runs: perhaps once again, and what was found on the board becomes part of its reports.

The rules of charging:

- Lua that errs names its chunk, and a chunk names its test: that test is charged, now or by a late report, and a test
  that was hit by another's error runs again.
- What is left behind (handles, heap) and what a Python function raises is the test's own.
- A board that restarts by itself, falls silent or is lost, may be at fault itself, or the test is: that runs again, on
  another board if there is one. When it passes there, the board is charged; when it happens again, the test is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from bridge.pytest_plugin.findings import OF_EITHER, OF_TEST, Finding, Visit
from bridge.pytest_plugin.keys import KEY, VISITS
from bridge.pytest_plugin.late import late_report
from bridge.pytest_plugin.ntest import CONSOLE
from bridge.pytest_plugin.reruns import may_rerun, pause_before_rerun, reruns_of
from bridge.pytest_plugin.session import BoardSession


@dataclass
class Attempt:
    """A run of a test.

    Attributes:
        reports: of its phases, that nobody has seen yet.
        visits: what was found on its boards.
    """

    reports: list[pytest.TestReport]
    visits: list[Visit]

    @property
    def failed(self) -> bool:
        """A phase has failed."""
        return any(report.failed for report in self.reports)

    @property
    def own(self) -> list[Finding]:
        """What the test is charged with for sure. Who fails has no chance to tidy up."""
        kinds = {"error", "callback"} if self.failed else OF_TEST
        return [each for each in self._findings if each.kind in kinds and each.owner is None]

    @property
    def foreign(self) -> list[Finding]:
        """What other tests have left behind for this one."""
        return [finding for finding in self._findings if finding.owner is not None]

    @property
    def of_either(self) -> list[Finding]:
        """What may be the board's fault."""
        return [finding for finding in self._findings if finding.kind in OF_EITHER]

    @property
    def _findings(self) -> list[Finding]:
        return [finding for visit in self.visits for finding in visit.findings]


def run(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """Run a test, as pytest's own `pytest_runtest_protocol` does, and again if it was hit by something."""
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    left = reruns_of(item)
    while not _run_once(item, nextitem, last=left == 0):
        left -= 1
        pause_before_rerun(item)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _run_once(item: pytest.Item, nextitem: pytest.Item | None, *, last: bool) -> bool:
    """Run a test to a judgement; False if it has failed and its user wants it to run again."""
    first = _attempt(item, nextitem)
    session = item.config.stash.get(KEY, None)
    if session is None:
        _log(item, first.reports)
        return True
    if first.of_either or (first.foreign and first.failed):
        session.avoid = first.visits[0].place if first.of_either else None
        _log_first(item, first)
        second = _attempt(item, nextitem)
        session.avoid = None
        return _conclude(item, session, second, first, last=last)
    return _conclude(item, session, first, None, last=last)


def _attempt(item: pytest.Item, nextitem: pytest.Item | None) -> Attempt:
    item.stash[VISITS] = []
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    return Attempt(reports, item.stash[VISITS])


def _log(item: pytest.Item, reports: list[pytest.TestReport]) -> None:
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)


def _log_first(item: pytest.Item, attempt: Attempt) -> None:
    """Tell of a run that will be followed by another: it counts for nothing."""
    report = _rerun(attempt)
    _attach(report, attempt, charged_to=None)
    late = [late_report(f"with {item.nodeid}", attempt.visits[0], finding) for finding in attempt.foreign]
    report.nodemcu["late"] = late
    item.ihook.pytest_runtest_logreport(report=report)


def _rerun(attempt: Attempt) -> Any:
    """The one report of a run that counts for nothing."""
    report: Any = max(attempt.reports, key=lambda each: (each.failed, each.when == "call"))
    report.outcome = "rerun"
    return report


def _conclude(
    item: pytest.Item, session: BoardSession, attempt: Attempt, before: Attempt | None, *, last: bool
) -> bool:
    """Say whose doing it was, put it into the reports, and log them.

    Returns:
        False if the test has failed, and another run follows as its user wants it.
    """
    charged_to: str | None = None
    guilty = list(attempt.own)
    notes = []
    if before is not None and before.of_either:
        if attempt.of_either:
            guilty += attempt.of_either
        elif not attempt.failed:
            charged_to = "board"
            notes.append(session.blame(before.visits[0], before.of_either, item.nodeid))
    elif attempt.of_either:  # the run before was hit by another test
        guilty += attempt.of_either
    if guilty or attempt.failed:
        charged_to = "test"
    if before is not None and attempt.failed and not attempt.visits:  # it got no board any more
        report = next(each for each in attempt.reports if each.failed)
        report.sections.append(("found on the board before", _sentences(before, before.of_either)))
    for visit in attempt.visits:
        visit.notes += notes
        if not attempt.failed and not visit.findings:
            session.praise(visit)
    if guilty:
        _charge(attempt, guilty)
    late = [late_report(f"with {item.nodeid}", attempt.visits[0], finding) for finding in attempt.foreign]
    late += [
        late_report(f"with {item.nodeid}", visit, each)
        for visit in attempt.visits
        for each in visit.inherited
        if each.owner
    ]
    late += [
        late_report(f"before {item.nodeid}", visit, each)
        for visit in (session.left_behind() if attempt.visits else ())  # which bring it with them
        for each in visit.inherited
        if each.owner
    ]
    for report in attempt.reports:
        _attach(report, attempt, charged_to)
    if attempt.visits:
        attempt.reports[-1].nodemcu["late"] = late
        attempt.reports[-1].user_properties += _properties(attempt, charged_to)
    if attempt.failed and not last and may_rerun(item):
        report = _rerun(attempt)
        if attempt.visits:
            report.nodemcu["late"] = late
        _log(item, [report])
        return False
    _log(item, attempt.reports)
    return True


def _charge(attempt: Attempt, guilty: list[Finding]) -> None:
    """The test has failed, whatever it says itself."""
    text = _sentences(attempt, guilty)
    report = next((each for each in attempt.reports if each.when == "call"), attempt.reports[0])
    if report.passed and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = text
    elif report.failed:
        report.sections.append(("found on the board", text))


def _sentences(attempt: Attempt, findings: list[Finding]) -> str:
    visit = attempt.visits[0]
    lines = [f"{finding.text[:1].upper()}{finding.text[1:].rstrip('.')}." for finding in findings]
    return "\n".join([*lines, f"This was found on {visit.place} ({visit.port}) after the test."])


def _attach(report: pytest.TestReport, attempt: Attempt, charged_to: str | None) -> None:
    """Put what is known of the board into a report, and into its sections if it has failed."""
    if not attempt.visits:
        return
    visit = attempt.visits[0]
    facts = visit.facts(charged_to)
    report.nodemcu = facts  # type: ignore[attr-defined]
    if report.passed or report.skipped:
        if report.when != "call":
            facts["console"] = ""
        return
    # Of a test file the report has the board's own words already; the link only brought the file there.
    told = CONSOLE in dict(report.user_properties)
    for visit in attempt.visits:
        report.sections += _sections(visit, whole=bool(visit.findings) or not told)


def _sections(visit: Visit, *, whole: bool) -> list[tuple[str, str]]:
    found = []
    if visit.console and whole:
        found.append((f"console of {visit.place}", visit.console))
    if visit.wire and whole:
        found.append((f"wire of {visit.place}, the last {len(visit.wire)} messages", "\n".join(visit.wire)))
    if visit.heap:
        curve = ", ".join(f"{free} at {when:.2f} s" for when, free in visit.heap)
        found.append((f"heap of {visit.place}, bytes free", curve))
    if visit.notes:
        found.append((f"notes on {visit.place}", "\n".join(visit.notes)))
    return found


def _properties(attempt: Attempt, charged_to: str | None) -> list[tuple[str, object]]:
    """What JUnit has of the boards."""
    found: list[tuple[str, object]] = []
    for visit in attempt.visits:
        found += [("place", visit.place), ("port", visit.port), ("mac", visit.mac or "unknown")]
        if visit.firmware:
            found.append(("firmware", visit.firmware))
        if visit.heap:
            found += [("heap_before", visit.heap[0][1]), ("heap_after", visit.heap[-1][1])]
    return [*found, ("charged_to", charged_to)] if charged_to else found
