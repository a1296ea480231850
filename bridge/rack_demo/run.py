"""The demo: boards start, a suite runs over them, two of them fail, and the run ends by itself with what was found."""

from __future__ import annotations

import contextlib
import importlib.util
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from bridge.child_python import module_environment
from bridge.errors import BridgeError, UsageError
from bridge.rack_demo.boards import DemoBoard, running_boards
from bridge.rack_demo.mishaps import Mishap, environment
from bridge.rack_report import RackReport
from bridge.resources import resource

BOARDS = 4
#: Tests of the suite that are wrong on purpose.
WRONG = frozenset({"test_wrong_about_the_answer", "test_leaves_a_timer_behind"})
#: Exit codes of pytest after which all reports are there: all passed, some failed.
_ENDED = (0, 1)
#: Seconds for the tests to end when they are told to.
_END = 20.0


@dataclass(frozen=True)
class DemoResult:
    """What became of it.

    Attributes:
        report: of the run.
        html, junit, json: files that were written.
        hung, restarted: names of the places whose boards failed.
        surprises: what went otherwise than it should, a sentence each.
    """

    report: RackReport
    html: Path
    junit: Path
    json: Path
    hung: str
    restarted: str
    surprises: list[str]


def run_demo(folder: Path, say: Callable[[str], None]) -> DemoResult:
    """Run it; takes about a minute.

    Args:
        folder: for what it writes; it is made.
        say: gets a line for each step.

    Raises:
        UsageError: pytest or pytest-xdist is not installed, or the folder cannot be written.
        BridgeError: a board did not start, or the run did not come to its end.
    """
    for name in ("pytest", "xdist"):
        if importlib.util.find_spec(name) is None:
            raise UsageError(f"The demo runs tests and needs {name}", remedy="Install pytest and pytest-xdist.")
    suite = resource("examples/rack_demo")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        state = folder / "state"
        state.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made ({error.strerror})", remedy="Name another folder.") from error
    say(f"{BOARDS} virtual boards start, each a process of its own.")
    with running_boards(BOARDS) as boards:
        *_, restarts, hangs = boards
        rack = folder / "rack.yaml"
        rack.write_text(_rack_file(boards, state), encoding="utf-8")
        say(f"60 tests run on them, by pytest -n {BOARDS}.")
        say(f"In the middle {hangs.name} hangs and {restarts.name} restarts.")
        result = _result(folder, hangs, restarts, _run_tests(suite, folder, rack, hangs, restarts))
    return result


def _rack_file(boards: list[DemoBoard], state: Path) -> str:
    places = [{"name": board.name, "port": board.url, "mac": board.mac, "tags": ["demo"]} for board in boards]
    return yaml.safe_dump({"version": 1, "state": str(state.resolve()), "ttl": 10.0, "places": places}, sort_keys=False)


def _run_tests(suite: Path, folder: Path, rack: Path, hangs: DemoBoard, restarts: DemoBoard) -> int:
    for name in ("run.html", "junit.xml", "run.json", "hung", "restarted"):  # of an earlier run in the same folder
        (folder / name).unlink(missing_ok=True)
    mishaps = [
        Mishap(hangs.url, hangs.pid, "SIGSTOP", 4, [*WRONG], str(folder.resolve() / "hung")),
        Mishap(restarts.url, restarts.pid, "SIGUSR1", 6, [*WRONG], str(folder.resolve() / "restarted")),
    ]
    command = [
        sys.executable, "-P", "-m", "pytest", str(suite), "-c", str(suite / "pytest.ini"), "--rootdir", str(suite),
        "-q", "--tb=short", "--no-summary", "-p", "no:cacheprovider", "-p", "xdist", "-p", "bridge.pytest_plugin",
        "-p", "bridge.rack_demo.mishaps", "-n", str(BOARDS), "--rack", str(rack.resolve()),
        "--rack-html", str((folder / "run.html").resolve()), "--rack-json", str((folder / "run.json").resolve()),
        "--junitxml", str((folder / "junit.xml").resolve()),
    ]  # fmt: skip
    # Nothing else that is installed here, and none of the user's own options.
    more = {**environment(mishaps), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    # In a session of its own: of Ctrl-C at a terminal it hears once, from here, and then gives its boards back.
    process = subprocess.Popen(command, env={**module_environment(), **more}, cwd=folder, start_new_session=True)
    try:
        return process.wait()
    except BaseException:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END)
        raise
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _result(folder: Path, hangs: DemoBoard, restarts: DemoBoard, code: int) -> DemoResult:
    path = folder / "run.json"
    if code not in _ENDED or not path.exists():
        raise BridgeError(f"The run of the demo did not come to its end (pytest: exit code {code})")
    report = RackReport.model_validate_json(path.read_text(encoding="utf-8"))
    return DemoResult(
        report, folder / "run.html", folder / "junit.xml", path, hangs.name, restarts.name,
        surprises(report, hangs.name, restarts.name),
    )  # fmt: skip


def surprises(report: RackReport, hung: str, restarted: str) -> list[str]:
    """What went otherwise than it should, a sentence each.

    Args:
        report: of the run.
        hung, restarted: names of the places whose boards failed.
    """
    found = []
    failed = {test.nodeid.rpartition("::")[2] for test in report.tests if test.last and test.outcome != "passed"}
    if failed - WRONG:
        found.append(f"{', '.join(sorted(failed - WRONG))} did not pass and should have.")
    if WRONG - failed:
        found.append(f"{', '.join(sorted(WRONG - failed))} passed and should not have.")
    if report.totals.tests != 60:
        found.append(f"{report.totals.tests} tests ran, and not 60.")
    ill = {board.place for board in report.boards if board.state != "healthy"}
    for name in sorted({hung, restarted} - ill):
        found.append(f"Nothing was found wrong with {name}.")
    for name in sorted(ill - {hung, restarted}):
        found.append(f"{name} is blamed for nothing.")
    return found
