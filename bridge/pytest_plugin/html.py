"""`--rack-html FILE` and `--rack-json FILE`: the page of a run and its model, written when the run is over.

Made in the process that gathers all reports, from what they bring with them (`report.nodemcu`) and nothing else; also
when the run was interrupted. What cannot be written costs a sentence in the summary, and no test its result.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import BridgeError
from bridge.pytest_plugin.discreet_reports import known_secrets
from bridge.pytest_plugin.discretion import Discretion
from bridge.pytest_plugin.keys import KEY
from bridge.pytest_plugin.start import rack_of
from bridge.rack.status import PlaceStatus
from bridge.rack_report import BoardReport, Collector, Evidence, Phase, page
from bridge.rack_report.model import State
from bridge.trace.recorder import public_url

#: Which worker of pytest-xdist it was, which the page tells elsewhere.
_WORKER = re.compile(r"\A\[gw\d+\] .*\n+")


def register(config: pytest.Config) -> None:
    """Be ready to write. Not for workers of pytest-xdist."""
    config.pluginmanager.register(RunReport(config), "nodemcu_run_report")


class RunReport:
    """Gathers the reports of a run and writes the files at its end.

    Args:
        config: of pytest.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._began = time.time()
        self._collector = Collector(
            self._began,
            title=config.rootpath.name or "pytest",
            host=platform.node() or None,
            command=_command(config),
            blank=Discretion(known_secrets()).text,
        )
        #: What became of the files, a sentence each.
        self._said: list[str] = []
        self._trouble = False
        self._unread: set[str] = set()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """How many tests there are; a process that only hands them out to workers has none itself."""
        self._collector.collected = len(session.items) or self._collector.collected

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: list[str]) -> None:
        """A worker of pytest-xdist knows how many tests there are."""
        self._collector.collected = len(ids)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that could not be read is an error of the run."""
        if report.failed and report.nodeid not in self._unread:  # each worker reads it
            self._unread.add(report.nodeid)
            self._add(report.nodeid, "setup", "failed", time.time(), 0.0, _reason(report), report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of a test is over."""
        self._add(
            report.nodeid, str(report.when), report.outcome, report.start or time.time(), report.duration,
            None if report.passed else _reason(report), report,
        )  # fmt: skip

    def _add(
        self, nodeid: str, when: str, outcome: Any, started: float, seconds: float, why: str | None, report: Any
    ) -> None:
        self._collector.add(
            Phase(
                nodeid, when, outcome, started, seconds,
                message=why,
                xfail=hasattr(report, "wasxfail"),
                worker=getattr(report, "worker_id", None),
                attached=getattr(report, "nodemcu", None),
            )
        )  # fmt: skip

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Ctrl-C, or `pytest.exit`."""
        self._collector.interrupted = excinfo.exconly(tryshort=True) or excinfo.typename

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the files. Boards are given back by now."""
        stopped = session.shouldfail or session.shouldstop
        if stopped and self._collector.interrupted is None:
            self._collector.interrupted = str(stopped)
        self._ask_the_rack()
        report = self._collector.report(time.time())
        zone = datetime.now().astimezone().tzinfo or UTC
        if name := self._config.getoption("rack_html"):
            self._write(Path(name), lambda: page(report, zone), "--rack-html")
        if name := self._config.getoption("rack_json"):
            self._write(Path(name), lambda: report.model_dump_json(indent=1) + "\n", "--rack-json")

    def _ask_the_rack(self) -> None:
        """What the rack itself knows of its places: those that ran nothing, those that are quarantined and why."""
        session = self._config.stash.get(KEY, None)
        # None may be named; the rack's files may be gone, or another user's to read, or its coordinator be away.
        with contextlib.suppress(pytest.UsageError, BridgeError, OSError):
            rack = rack_of(self._config) if session is None else session.rack
            for place in rack.status().places:
                self._collector.add_board(_board(place, self._began))

    def _write(self, path: Path, text: Callable[[], str], option: str) -> None:
        try:
            write_whole(path, text())
            self._said.append(f"The run is shown in {path}.")
        except OSError as error:
            why = error.strerror or str(error)
            self._said.append(f"{path} cannot be written ({why}). Make room, or name another file by {option}.")
            self._trouble = True
        except Exception as error:  # whatever it is, it is not worth the results of hours
            self._said.append(
                f"{path} cannot be made: {type(error).__name__}: {error}. The tests' results are as above."
            )
            self._trouble = True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what became of the files."""
        for said in self._said:
            terminalreporter.write_line(said, red=self._trouble)


def _board(place: PlaceStatus, began: float) -> BoardReport:
    evidence = [
        Evidence(said=failure.what, nodeid=failure.test or None, seconds=failure.at - began)
        for failure in place.failures
        if failure.at >= began or place.quarantined_since is not None
    ]
    if place.state == "absent":
        evidence.append(Evidence(said=f"There is no {place.port}."))
    state: State = "quarantined" if place.quarantined_since is not None else "sick" if evidence else "healthy"
    evidence = [each if (each.seconds or 0) >= 0 else each.model_copy(update={"seconds": None}) for each in evidence]
    return BoardReport(place=place.name, port=public_url(place.port), mac=place.mac, state=state, evidence=evidence)


def write_whole(path: Path, text: str) -> None:
    """Write a file, all of it or nothing: what was there before stays until the new one is whole.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():  # a pipe, a device: not to be replaced
        path.write_text(text, encoding="utf-8")
        return
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(fresh, 0o666 & ~mask)
        os.replace(fresh, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(fresh)
        raise


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Why it failed or was skipped: what a reader wants first stands first."""
    if hasattr(report, "wasxfail"):
        return str(report.wasxfail or "expected to fail")
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2]
    text = _WORKER.sub("", report.longreprtext)
    crash = getattr(report.longrepr, "reprcrash", None)
    said = "" if crash is None else crash.message.removeprefix("Failed: ")
    return text if text.startswith(said) else f"{said}\n\n{text}"


def _command(config: pytest.Config) -> list[str]:
    """What was run; of the options only those that hold no secret."""
    # Of paths only what says which tests: where somebody's files lie is nothing for a page that is handed around.
    tests = [os.path.relpath(each, config.rootpath) if os.path.isabs(each) else each for each in config.args]
    words = ["pytest", *(each for each in tests if each != "." and not each.startswith(".."))]
    for option, name in (("-k", "keyword"), ("-m", "markexpr"), ("-n", "numprocesses"), ("--rack", "rack")):
        value = config.getoption(name, None)
        if value:
            words += [option, Path(value).name if name == "rack" else str(value)]
    return words
