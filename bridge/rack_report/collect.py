"""Makes the model of a run from what pytest reports, phase by phase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from bridge.rack_report.excerpt import excerpt
from bridge.rack_report.model import (
    BoardReport,
    Charge,
    Evidence,
    Outcome,
    RackReport,
    State,
    TestReport,
    Totals,
)
from bridge.rack_report.visible import visible

#: Points of a heap curve that are kept of each test.
MOST_POINTS = 120
_WORST_FIRST: tuple[State, ...] = ("quarantined", "sick", "healthy")


class Attached(BaseModel):
    """What the pytest plugin attaches to a report; unknown keys are nothing to us, wrong values are a finding."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    place: str | None = None
    port: str | None = None
    mac: str | None = None
    firmware: str | None = None
    heap: list[tuple[float, int]] = []
    console: str | None = None
    finding: str | None = None
    charged_to: Charge | None = None
    state: State | None = None
    """Of the board, after this."""


@dataclass(frozen=True)
class Phase:
    """One of the reports that pytest makes of a test.

    Args:
        nodeid: of the test.
        when: setup, call or teardown.
        outcome: passed, failed or skipped, as pytest has it.
        started: seconds since 1970.
        seconds: how long it took.
        message: why it failed or was skipped.
        xfail: it was expected to fail.
        worker: process of pytest-xdist.
        attached: `report.nodemcu`, if there is one.
    """

    nodeid: str
    when: Literal["setup", "call", "teardown"]
    outcome: Literal["passed", "failed", "skipped"]
    started: float
    seconds: float
    message: str | None = None
    xfail: bool = False
    worker: str | None = None
    attached: dict[str, Any] | None = None


@dataclass
class _Attempt:
    nodeid: str
    number: int
    phases: list[Phase] = field(default_factory=list)
    #: What was found when it was over already.
    late: list[Attached] = field(default_factory=list)


class Collector:
    """Gathers a run.

    Args:
        started: seconds since 1970.
        title: of the page.
        host: name of the computer.
        command: how it was called.
    """

    def __init__(
        self, started: float, *, title: str = "Rack run", host: str | None = None, command: Sequence[str] = ()
    ) -> None:
        self._started = started
        self._title, self._host, self._command = title, host, [*command]
        self._attempts: list[_Attempt] = []
        self._current: dict[str, _Attempt] = {}
        self._boards: dict[str, BoardReport] = {}
        #: How many tests there are to run, once somebody knows.
        self.collected: int | None = None
        #: Why the run ended before its end.
        self.interrupted: str | None = None

    def add(self, phase: Phase) -> None:
        """Take a report."""
        attempt = self._current.get(phase.nodeid)
        if attempt is None or any(earlier.when == phase.when for earlier in attempt.phases):
            attempt = _Attempt(phase.nodeid, 1 if attempt is None else attempt.number + 1)
            self._current[phase.nodeid] = attempt
            self._attempts.append(attempt)
        attempt.phases.append(phase)

    def add_late(self, nodeid: str, attached: dict[str, Any]) -> None:
        """Take what was found of a test when it was over: it is charged to its last attempt."""
        attempt = self._current.get(nodeid)
        if attempt is None:
            attempt = self._current[nodeid] = _Attempt(nodeid, 1)
            self._attempts.append(attempt)
        attempt.late.append(_attached(attached))

    def add_board(self, board: BoardReport) -> None:
        """Take what is known of a board from elsewhere; what it tells counts beside what tests met."""
        self._boards[board.place] = board

    def report(self, ended: float) -> RackReport:
        """The model of what was gathered.

        Args:
            ended: seconds since 1970.
        """
        tests = [self._test(attempt) for attempt in self._attempts if attempt.phases or attempt.late]
        tests.sort(key=lambda test: test.started)
        boards = self._with_what_tests_met(tests)
        return RackReport(
            title=self._title,
            started=self._started,
            seconds=max(0.0, ended - self._started),
            interrupted=self.interrupted,
            collected=self.collected,
            host=self._host,
            command=self._command,
            totals=_totals(tests, boards),
            boards=boards,
            tests=tests,
        )

    def _test(self, attempt: _Attempt) -> TestReport:
        told = [_attached(phase.attached) for phase in attempt.phases if phase.attached] + attempt.late
        started = min((phase.started for phase in attempt.phases), default=self._started)
        heap = _fewer(sorted({point for each in told for point in each.heap}))
        messages = [phase.message for phase in attempt.phases if phase.message]
        consoles = [each.console for each in told if each.console]
        return TestReport(
            nodeid=attempt.nodeid,
            attempt=attempt.number,
            last=attempt is self._current[attempt.nodeid],
            outcome=_outcome(attempt.phases),
            charged_to=_charge(told),
            findings=list(dict.fromkeys(each.finding for each in told if each.finding)),
            message=excerpt("\n".join(messages)) if messages else None,
            seconds=sum(phase.seconds for phase in attempt.phases),
            started=max(0.0, started - self._started),
            place=next((each.place for each in reversed(told) if each.place), None),
            worker=next((phase.worker for phase in attempt.phases if phase.worker), None),
            heap_before=heap[0][1] if heap else None,
            heap_after=heap[-1][1] if len(heap) > 1 else None,
            heap=heap,
            # Each phase may tell all that came so far, or only its own.
            console=excerpt(max(consoles, key=len)) if consoles else None,
        )

    def _with_what_tests_met(self, tests: list[TestReport]) -> list[BoardReport]:
        boards = dict(self._boards)
        for attempt in self._attempts:
            for each in [_attached(phase.attached) for phase in attempt.phases if phase.attached] + attempt.late:
                if each.place is not None:
                    _merge(boards, visible(each.place), each)
        for test in tests:
            if test.place is not None and test.charged_to == "board":
                board = boards[test.place]
                met = [Evidence(said=said, nodeid=test.nodeid, seconds=test.started) for said in test.findings]
                known = {(one.said, one.nodeid) for one in board.evidence}
                fresh = [one for one in met if (one.said, one.nodeid) not in known]
                state: State = "sick" if board.state == "healthy" else board.state
                boards[test.place] = _changed(board, state=state, evidence=[*board.evidence, *fresh])
        return [boards[name] for name in sorted(boards, key=_natural)]


def _attached(told: dict[str, Any]) -> Attached:
    try:
        return Attached.model_validate(told)
    except ValidationError as error:
        key = ".".join(str(part) for part in error.errors()[0]["loc"])
        place = told.get("place")
        return Attached(
            place=place if isinstance(place, str) else None,
            finding=f"What was attached to this test's report cannot be read: {key} is not what it should be.",
        )


def _merge(boards: dict[str, BoardReport], place: str, told: Attached) -> None:
    """What is known of a board, and what one more report tells: a newer word on what it is, the worse one on how."""
    board = boards.get(place, BoardReport(place=place))
    fresh = {
        name: value
        for name in ("port", "mac", "firmware")
        if (value := getattr(told, name)) is not None and getattr(board, name) is None
    }
    state = min(board.state, told.state or board.state, key=_WORST_FIRST.index)
    boards[place] = _changed(board, **fresh, state=state)


def _changed(board: BoardReport, **changes: Any) -> BoardReport:
    return BoardReport(**{**dict(board), **changes})


def _outcome(phases: list[Phase]) -> Outcome:
    for phase in phases:
        if phase.outcome == "failed":
            return "failed" if phase.when == "call" else "error"
    for phase in phases:
        if phase.outcome == "skipped":
            return "xfailed" if phase.xfail else "skipped"
    if any(phase.xfail for phase in phases):
        return "xpassed"
    return "passed" if phases else "error"


def _charge(told: list[Attached]) -> Charge | None:
    charges = [each.charged_to for each in told if each.charged_to is not None]
    return charges[-1] if charges else None


def _fewer(points: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """A curve with at most `MOST_POINTS` points, of which none of its lowest and no end is missing."""
    if len(points) <= MOST_POINTS:
        return points
    inner = points[1:-1]
    step = -(-len(inner) // (MOST_POINTS - 2))
    lowest = [min(inner[at : at + step], key=lambda point: point[1]) for at in range(0, len(inner), step)]
    return [points[0], *lowest, points[-1]]


def _totals(tests: list[TestReport], boards: list[BoardReport]) -> Totals:
    last = [test for test in tests if test.last]
    outcomes = [test.outcome for test in last]
    failures = [test for test in last if test.outcome in ("failed", "error")]
    return Totals(
        tests=len(last),
        passed=outcomes.count("passed"),
        failed=outcomes.count("failed"),
        errors=outcomes.count("error"),
        skipped=outcomes.count("skipped"),
        xfailed=outcomes.count("xfailed"),
        xpassed=outcomes.count("xpassed"),
        again=len(tests) - len(last),
        # A failure that nothing else explains is the test's own.
        charged_to_test=sum(test.charged_to != "board" for test in failures),
        charged_to_board=sum(test.charged_to == "board" for test in failures),
        boards=len(boards),
        sick=sum(board.state == "sick" for board in boards),
        quarantined=sum(board.state == "quarantined" for board in boards),
    )


def _natural(name: str) -> tuple[str, int, str]:
    """Sorts shelf-2 before shelf-10."""
    digits = name[len(name.rstrip("0123456789")) :]
    return name.removesuffix(digits), int(digits or 0), name
