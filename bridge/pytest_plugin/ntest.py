"""NodeMCU's own test files in a run of pytest: its options, which files they are, and their reports.

The items are in `bridge.pytest_plugin.ntest_items`, which is loaded with the first such file.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from bridge.pytest_plugin import clash

#: Property of a report, in JUnit too: what the board printed during it.
CONSOLE = "board_console"
#: What makes the reports of sub-tests without an item, on the item of their file.
MORE = pytest.StashKey[tuple[dict[str, Any], ...]]()
#: Seconds that an item took on the board.
SECONDS = pytest.StashKey[float]()
#: Files that are collected.
_PATTERN = "NTest_*.lua"


def add_options(parser: pytest.Parser) -> None:
    """Add what says how test files run."""
    group = parser.getgroup(clash.GROUP)
    group.addoption(
        "--ntest-library",
        metavar="FILE",
        help="NTest.lua to run test files with; 'board' for the board's own; by default a small one of the bridge's",
    )
    group.addoption(
        "--ntest-with", action="append", default=[], metavar="FILE", help="file that test files need on the board"
    )
    group.addoption(
        "--ntest-silence",
        type=float,
        metavar="SECONDS",
        help="a test file that reports nothing for so long is given up (60)",
    )
    group.addoption(
        "--ntest-own-tap", action="store_true", help="test files print TAP by themselves; no library is brought to them"
    )
    parser.addini("ntest_files", f"patterns of NodeMCU's test files (default: {_PATTERN})", "args", [_PATTERN])


class Collecting:
    """The plugin's part for test files."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._session: pytest.Session | None = None

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Here the tests are counted."""
        self._session = session

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Test files are known by their names."""
        if any(file_path.match(pattern) for pattern in self._config.getini("ntest_files")):
            from bridge.pytest_plugin.ntest_items import board_test_file

            return board_test_file(file_path, parent)
        return None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """A sub-test took as long as it did on the board; what has no item goes along with the whole file's."""
        report = yield
        if call.when == "call" and SECONDS in item.stash:
            report.duration = item.stash[SECONDS]
        if call.when == "teardown" and MORE in item.stash:
            report.ntest_more = item.stash[MORE]  # type: ignore[attr-defined]
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Where reports arrive in the end, those that went along become reports of their own."""
        facts, said = getattr(report, "nodemcu", None), dict(report.user_properties).get(CONSOLE)
        if facts is not None and said is not None and report.when == "call":
            facts["console"] = said  # that of the agent's time is none of a sub-test's
        if hasattr(self._config, "workerinput"):
            return
        more = getattr(report, "ntest_more", ())
        if self._session is not None:
            self._session.testscollected += len(more)  # which percentages are of
        for each in more:
            for when in ("setup", "call", "teardown"):
                one = _report(each, when)
                for name in ("node", "worker_id"):
                    if hasattr(report, name):
                        setattr(one, name, getattr(report, name))
                if facts is not None:
                    one.nodemcu = {**facts, "console": "", "late": []}  # type: ignore[attr-defined]
                self._config.hook.pytest_runtest_logreport(report=one)


def _report(facts: dict[str, Any], when: Any) -> pytest.TestReport:
    called = when == "call"
    file, line, name = facts["location"]
    why = (file, 0, facts["why"]) if facts["outcome"] == "skipped" else facts["why"]
    stop = time.time()
    return pytest.TestReport(
        facts["nodeid"],
        (file, line, name),
        {name: 1},
        facts["outcome"] if called else "passed",
        why if called and facts["why"] else None,
        when,
        [("Captured board console call", facts["console"])] if called else [],
        facts["seconds"] if called else 0.0,
        stop - (facts["seconds"] if called else 0.0),
        stop,
        [(CONSOLE, facts["console"])],
    )
