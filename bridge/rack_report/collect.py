"""Makes the model of a run from what pytest reports, phase by phase."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

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
from bridge.rack_report.phase import Attached, Phase, read_attached
from bridge.rack_report.visible import visible

#: Points of a heap curve that are kept of each test.
MOST_POINTS = 120


@dataclass
class _Attempt:
    nodeid: str
    number: int
    phases: list[Phase] = field(default_factory=list)
    #: What came when it was over already.
    late: list[Phase] = field(default_factory=list)


class Collector:
    """Gathers a run.

    Args:
        started: seconds since 1970.
        title: of the page.
        host: name of the computer.
        command: how it was called.
        blank: writes over what must not be shown, in every text that boards and tests say.
    """

    def __init__(
        self,
        started: float,
        *,
        title: str = "Rack run",
        host: str | None = None,
        command: Sequence[str] = (),
        blank: Callable[[str], str] = str,
    ) -> None:
        self._started = started
        self._title, self._host, self._command, self._blank = title, host, [*command], blank
        self._attempts: list[_Attempt] = []
        self._current: dict[str, _Attempt] = {}
        self._boards: dict[str, BoardReport] = {}
        #: How many tests there are to run, once somebody knows.
        self.collected: int | None = None
        #: Why the run ended before its end.
        self.interrupted: str | None = None

    def add(self, phase: Phase) -> None:
        """Take a report. One of a test that is over already tells what was found of it later."""
        attempt = self._current.get(phase.nodeid)
        if attempt is None or (phase.when == "setup" and attempt.phases):
            attempt = _Attempt(phase.nodeid, 1 if attempt is None else attempt.number + 1)
            self._current[phase.nodeid] = attempt
            self._attempts.append(attempt)
        over = any(earlier.when == "teardown" for earlier in attempt.phases)
        (attempt.late if over else attempt.phases).append(phase)

    def add_board(self, board: BoardReport) -> None:
        """Take what is known of a board from elsewhere; what it tells counts beside what tests met."""
        said = [
            Evidence(
                said=_sentence(self._blank(each.said)),
                nodeid=None if each.nodeid is None else self._blank(each.nodeid),
                seconds=each.seconds,
            )
            for each in board.evidence
            if each.said
        ]
        firmware = None if board.firmware is None else self._blank(board.firmware)
        self._boards[board.place] = _changed(board, firmware=firmware, evidence=said)

    def report(self, ended: float) -> RackReport:
        """The model of what was gathered.

        Args:
            ended: seconds since 1970.
        """
        tests = sorted(map(self._test, self._attempts), key=lambda test: test.started)
        boards = self._with_what_tests_met(tests)
        return RackReport(
            title=self._title,
            started=self._started,
            seconds=max(0.0, ended - self._started),
            interrupted=None if self.interrupted is None else self._blank(self.interrupted),
            collected=self.collected,
            host=self._host,
            command=self._command,
            totals=_totals(tests, boards),
            boards=boards,
            tests=tests,
        )

    def _test(self, attempt: _Attempt) -> TestReport:
        told, late = self._told(attempt.phases), self._told(attempt.late)
        last = self._current[attempt.nodeid]
        phases = [*attempt.phases, *attempt.late]
        # A report that is made when the test is over has no beginning.
        started = min((phase.started for phase in phases if phase.started > 0.0), default=self._started)
        heap = _fewer(sorted({point for each in told for point in each.heap}))
        messages = [phase.message for phase in phases if phase.message]
        consoles = [each.console for each in [*told, *late] if each.console]
        return TestReport(
            nodeid=self._blank(attempt.nodeid),
            attempt=attempt.number,
            last=attempt is last,
            outcome=_outcome(phases) if attempt is last else "again",
            charged_to=_charge(attempt, last),
            findings=list(dict.fromkeys(_sentence(each.finding) for each in [*told, *late] if each.finding)),
            notes=list(dict.fromkeys(_sentence(note) for each in told for note in each.notes if note)),
            message=excerpt(self._blank("\n".join(messages))) if messages else None,
            seconds=sum(phase.seconds for phase in phases),
            started=max(0.0, started - self._started),
            waited=max((each.waited for each in told), default=0.0),
            place=next((each.place for each in [*reversed(told), *late] if each.place), None),
            worker=next((phase.worker for phase in phases if phase.worker), None),
            heap_before=heap[0][1] if heap else None,
            heap_after=heap[-1][1] if len(heap) > 1 else None,
            heap=heap,
            # Each phase may tell all that came so far, or only its own.
            console=excerpt(max(consoles, key=len)) if consoles else None,
        )

    def _told(self, phases: list[Phase]) -> list[Attached]:
        """What was attached to phases, fit to be shown."""
        return [self._fit(read_attached(phase.attached)) for phase in phases if phase.attached is not None]

    def _fit(self, told: Attached) -> Attached:
        texts = {
            name: self._blank(text)
            for name in ("firmware", "console", "finding")
            if (text := getattr(told, name)) is not None
        }
        return told.model_copy(update={**texts, "notes": [self._blank(note) for note in told.notes]})

    def _with_what_tests_met(self, tests: list[TestReport]) -> list[BoardReport]:
        boards = dict(self._boards)
        for attempt in self._attempts:
            for told in self._told(attempt.phases):
                if told.place is not None:
                    _merge(boards, visible(told.place), told)
        for test in tests:
            if test.place is not None and test.charged_to == "board":
                board = boards.get(test.place, BoardReport(place=test.place))
                met = [Evidence(said=said, nodeid=test.nodeid, seconds=test.started) for said in test.findings]
                known = {(one.said, one.nodeid) for one in board.evidence}
                fresh = [one for one in met if (one.said, one.nodeid) not in known]
                state: State = "sick" if board.state == "healthy" else board.state
                boards[test.place] = _changed(board, state=state, evidence=[*board.evidence, *fresh])
        return [boards[name] for name in sorted(boards, key=_natural)]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _merge(boards: dict[str, BoardReport], place: str, told: Attached) -> None:
    """What is known of a board, and what one more report tells of it."""
    board = boards.get(place, BoardReport(place=place))
    fresh = {
        name: value
        for name in ("port", "mac", "firmware")
        if (value := getattr(told, name)) is not None and getattr(board, name) is None
    }
    boards[place] = _changed(board, **fresh)


def _changed(board: BoardReport, **changes: Any) -> BoardReport:
    return BoardReport(**{**dict(board), **changes})


def _outcome(phases: list[Phase]) -> Outcome:
    failed = [phase.when for phase in phases if phase.outcome == "failed"]
    if failed:
        return "error" if {*failed} <= {"setup", "teardown"} else "failed"
    for phase in phases:
        if phase.outcome == "rerun":
            return "again"
        if phase.outcome == "skipped":
            return "xfailed" if phase.xfail else "skipped"
    return "xpassed" if any(phase.xfail for phase in phases) else "passed"


def _charge(attempt: _Attempt, last: _Attempt) -> Charge | None:
    """Whose fault it was. Of a test that was run again only the last attempt shows whose fault the others were."""
    told = [
        read_attached(phase.attached).charged_to for phase in [*last.phases, *last.late] if phase.attached is not None
    ]
    charged = next((each for each in reversed(told) if each is not None), None)
    charge: Charge | None = None
    if charged is not None:
        charge = "board" if charged == "board" else "test" if charged == "test" else "other test"
    if attempt is last:
        # Where it passed at last, the board on which it did not is meant.
        passed = charge == "board" and _outcome([*last.phases, *last.late]) in (
            "passed",
            "xpassed",
            "skipped",
            "xfailed",
        )
        return None if passed else charge
    return charge if charge is not None else "other test"


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
