from __future__ import annotations

import pytest

from bridge.pytest_plugin.findings import CHUNK, Finding, Visit
from bridge.pytest_plugin.late import LateReports, late_report


class Seen:
    """A plugin that keeps the reports of a run."""

    def __init__(self) -> None:
        self.reports: list[pytest.TestReport] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.reports.append(report)


def report_of(nodeid: str, chunk: str, *late: dict[str, object]) -> tuple[pytest.TestReport, dict[str, object]]:
    facts = {**Visit("shelf-1", "virtual:", None, chunk).facts(None), "late": list(late)}
    return pytest.TestReport(nodeid, ("a.py", 3, nodeid), {}, "passed", None, "call"), facts


@pytest.fixture
def seen(pytester: pytest.Pytester) -> tuple[LateReports, Seen]:
    config, seen = pytester.parseconfig(), Seen()
    config.pluginmanager.register(seen)
    return LateReports(config), seen


def test_a_report_brings_another_ones(seen: tuple[LateReports, Seen]) -> None:
    reports, plugin = seen
    reports.look(*report_of("a.py::one", "t1"))
    visit = Visit("shelf-1", "virtual:", None, "t2", console="t1:1: oops")
    late = late_report("with a.py::two", visit, Finding("error", "Lua erred", ("t1",), owner="a.py::one"))
    reports.look(*report_of("a.py::two", "t2", late))
    (report,) = plugin.reports
    assert (report.nodeid, report.when, report.outcome, report.location[1]) == ("a.py::one", "call", "failed", 3)
    assert "Lua erred." in str(report.longrepr) and "with a.py::two" in str(report.longrepr)
    assert report.sections == [("console of shelf-1", "t1:1: oops")]


def test_a_chunk_of_another_process_finds_its_test_here(seen: tuple[LateReports, Seen]) -> None:
    reports, plugin = seen
    reports.look(*report_of("a.py::one", "t1w3"))
    visit = Visit("shelf-1", "virtual:", None, "t1w4")
    reports.make(late_report("with b", visit, Finding("error", "x", ("t1w3",), owner=f"{CHUNK}t1w3")))
    reports.make(late_report("with b", visit, Finding("error", "x", ("t9w9",), owner=f"{CHUNK}t9w9")))
    assert [report.nodeid for report in plugin.reports] == ["a.py::one", "a test of an earlier run (t9w9)"]
