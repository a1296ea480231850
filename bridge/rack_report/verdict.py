"""One sentence on how a run went, and whose fault what was."""

from __future__ import annotations

from bridge.rack_report.model import BoardReport, RackReport


def verdict(report: RackReport) -> str:
    """How it went, in one sentence: the tests, whose fault what failed is, the boards that are not well, the end."""
    totals = report.totals
    if totals.tests == 0:
        said = "No test ran"
    elif totals.passed == totals.tests:
        ran = " that ran" if report.interrupted is not None else ""
        said = f"{_all(totals.tests)}{ran} passed{_on_boards(totals.boards)}"
    else:
        said = f"{totals.passed} of {_count(totals.tests, 'test')} passed"
        if failures := totals.failed + totals.errors:
            said += f"; {_fault(failures, totals.charged_to_test, totals.charged_to_board)}"
        elif totals.skipped + totals.xfailed + totals.xpassed == totals.tests - totals.passed:
            said += ", and none failed"
    if again := [test.place for test in report.tests if test.outcome == "again" and test.charged_to == "board"]:
        whose = "a board" if len({*again}) == 1 else "boards"
        said += f"; {len(again)} {'was' if len(again) == 1 else 'were'} run again, the fault of {whose}"
    ill = [board for board in report.boards if board.state != "healthy"]
    if ill:
        said += f"; {_ill(ill)}"
    if report.interrupted is not None:
        left = report.collected - totals.tests if report.collected is not None else 0
        said += "; the run was interrupted" + (f" with {_count(left, 'test')} left to run" if left > 0 else "")
    return said + "."


def duration(seconds: float) -> str:
    """A time for people: 43 ms, 1.4 s, 2 min 5 s, 1 h 2 min."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _all(tests: int) -> str:
    return "The only test" if tests == 1 else f"All {tests} tests"


def _on_boards(boards: int) -> str:
    return f" on {_count(boards, 'board')}" if boards else ""


def _fault(failures: int, of_tests: int, of_boards: int) -> str:
    if not of_boards:
        return f"{_count(failures, 'failure')}, the fault of the {'test itself' if failures == 1 else 'tests'}"
    if not of_tests:
        return f"{_count(failures, 'failure')}, the fault of a board" + ("" if failures == 1 else " each time")
    return f"{_count(of_tests, 'failure')} charged to the tests, {of_boards} to a board"


def _ill(boards: list[BoardReport]) -> str:
    told = []
    for state in ("quarantined", "sick"):
        names = [board.place for board in boards if board.state == state]
        if names:
            shown = names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} more"]
            listed = shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
            told.append(f"{listed} {'is' if len(names) == 1 else 'are'} {state}")
    return ", ".join(told)
