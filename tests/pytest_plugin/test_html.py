"""Runs of pytest in processes of their own, on a virtual board and with reports of boards that are none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from bridge.pytest_plugin.html import write_whole
from bridge.rack.health import Evidence, record_failure
from bridge.rack.load import load_rack
from bridge.rack.rack import Rack
from bridge.rack_report import RackReport
from tests.pytest_plugin.boards import OPTIONS
from tests.rack_report.markup import Markup

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "schemas" / "rack-report.json"

#: What a plugin attaches to the reports of tests; here a conftest.
ATTACHING = """
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    report.nodemcu = {
        "place": "shelf-1", "port": "/dev/ttyUSB0", "mac": "5c:cf:7f:00:00:01", "chunk": "t1", "late": [], "notes": [],
        "heap": [[0.0, 40000], [0.5, 39900]], "console": "hello", "finding": None, "charged_to": None, "waited": 0.0,
    }
    return report
"""
TESTS = """
import pytest
def test_good(): pass
def test_bad(): assert "password = 'hunter2'" == 1, "it is bad"
@pytest.mark.skip(reason="not here")
def test_left_out(): pass
@pytest.mark.xfail(reason="known")
def test_known(): assert 0
def test_teardown(request): request.addfinalizer(lambda: 1 / 0)
"""


def run(folder: Path, *arguments: str, tests: str = TESTS, **more: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(ATTACHING)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(tests)
    command = [sys.executable, "-m", "pytest", "-q", *OPTIONS, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


def report(path: Path) -> RackReport:
    """The model in a file, as its schema says."""
    content = json.loads(path.read_text())
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(content)
    return RackReport.model_validate(content)


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_a_run_is_written_with_what_its_reports_bring(tmp_path: Path, workers: list[str]) -> None:
    done = run(tmp_path, "--rack-html", "out/run.html", "--rack-json", "run.json", *workers)
    assert done.returncode == 1 and "The run is shown in out/run.html." in done.stdout, done.stdout + done.stderr
    made = report(tmp_path / "run.json")
    ends = {test.nodeid.partition("::")[2]: test.outcome for test in made.tests}
    assert ends == {
        "test_good": "passed", "test_bad": "failed", "test_left_out": "skipped", "test_known": "xfailed",
        "test_teardown": "error",
    }  # fmt: skip
    assert made.collected == 5 and made.interrupted is None
    assert {test.worker for test in made.tests} == ({None} if not workers else {"gw0", "gw1"})
    [board] = made.boards
    assert (board.place, board.mac, board.state) == ("shelf-1", "5c:cf:7f:00:00:01", "healthy")
    text = Markup((tmp_path / "out" / "run.html").read_text()).text
    assert "1 of 5 tests passed; 2 failures, the fault of the tests" in text
    assert "it is bad" in text and "hello" in text


def test_nothing_is_written_unless_it_is_asked_for(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert "run is shown" not in done.stdout and not [*tmp_path.glob("*.html")]


def test_a_run_that_is_interrupted_is_written_as_far_as_it_came(tmp_path: Path) -> None:
    tests = (
        "import os, signal\ndef test_a(): pass\ndef test_b(): os.kill(os.getpid(), signal.SIGINT)\ndef test_c(): pass"
    )
    done = run(tmp_path, "--rack-html", "run.html", "--rack-json", "run.json", tests=tests)
    assert done.returncode == signal.SIGINT, done.stdout
    made = report(tmp_path / "run.json")
    assert made.interrupted and made.collected == 3
    assert [test.outcome for test in made.tests][0] == "passed"
    assert "the run was interrupted with" in (tmp_path / "run.html").read_text()


def test_a_run_that_ends_at_its_first_failure_says_so(tmp_path: Path) -> None:
    run(tmp_path, "-x", "--rack-json", "run.json")
    made = report(tmp_path / "run.json")
    assert made.interrupted is not None and "stopping after 1 failures" in made.interrupted
    assert (made.totals.tests, made.collected) == (2, 5)


def test_what_a_test_says_is_said_once_and_first(tmp_path: Path) -> None:
    tests = (
        "import pytest\ndef test_a(): pytest.fail('nothing came', pytrace=False)\ndef test_b(): assert 1 == 2, 'why'"
    )
    run(tmp_path, "--rack-json", "run.json", tests=tests)
    said = [test.message.head for test in report(tmp_path / "run.json").tests if test.message is not None]
    assert said[0] == "nothing came"
    assert said[1].startswith("AssertionError: why\nassert 1 == 2\n\n") and "def test_b" in said[1]


def test_a_file_that_cannot_be_read_is_an_error_and_only_one(tmp_path: Path) -> None:
    run(tmp_path, "--rack-json", "run.json", "-n", "2", tests="import nothing_of_this_name")
    [test] = report(tmp_path / "run.json").tests
    assert test.outcome == "error" and test.message is not None and "nothing_of_this_name" in test.message.head


def test_a_worker_that_ends_is_a_failure_of_its_test(tmp_path: Path) -> None:
    tests = "import os\ndef test_a(): os._exit(3)\ndef test_b(): pass"
    run(tmp_path, "--rack-json", "run.json", "-n", "1", tests=tests)
    assert {test.nodeid: test.outcome for test in report(tmp_path / "run.json").tests} == {
        "test_it.py::test_a": "failed", "test_it.py::test_b": "passed",
    }  # fmt: skip


def test_a_full_disk_costs_a_sentence_and_no_result(tmp_path: Path) -> None:
    (tmp_path / "run.html").write_text("of an earlier run")
    done = run(tmp_path, "--rack-html", "run.html", tests=TESTS + _FULL)
    [said] = [line for line in done.stdout.splitlines() if "run.html" in line]
    assert said == "run.html cannot be written (File too large). Make room, or name another file by --rack-html."
    assert "1 failed, 3 passed, 1 skipped, 1 xfailed, 1 error" in done.stdout
    assert done.returncode == 1 and "INTERNALERROR" not in done.stdout + done.stderr
    assert (tmp_path / "run.html").read_text() == "of an earlier run"
    assert not [*tmp_path.glob(".run*")]


#: No file may grow beyond 4 KB from here on, as on a disk that is full.
_FULL = """
def test_full():
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
"""


def test_a_path_that_cannot_be_costs_a_sentence_and_no_result(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run(tmp_path, "--rack-html", "file/run.html", "--rack-json", ".")
    said = [line for line in done.stdout.splitlines() if "cannot be written" in line]
    assert len(said) == 2 and all("Make room, or name another file by --rack-" in line for line in said), done.stdout
    assert "1 xfailed" in done.stdout and done.returncode == 1


def test_a_run_on_a_virtual_board_has_its_heap_and_its_console(tmp_path: Path) -> None:
    tests = "async def test_it(board): assert await board.eval('1+1') == 2\nasync def test_bad(board): assert 0"
    done = run(tmp_path, "--rack-json", "run.json", "--board", "virtual:?cpu=0&baud_pacing=0", tests=tests)
    made = report(tmp_path / "run.json")
    assert [test.outcome for test in made.tests] == ["passed", "failed"], done.stdout
    assert made.boards[0].place == "board-1" and made.boards[0].port is not None


def test_places_that_ran_nothing_and_those_that_are_quarantined_are_in_it(tmp_path: Path) -> None:
    rack = tmp_path / "rack.yaml"
    places = "".join(f"  - {{name: {name}, port: 'socket://127.0.0.1:9{n}'}}\n" for n, name in enumerate("abc"))
    rack.write_text(f"version: 1\nstate: {tmp_path / 'state'}\nplaces:\n{places}")
    made = Rack(load_rack(rack))
    for what in ("It hung.", "It hung again.", "It hangs for good."):
        record_failure(made.place("b"), Evidence(what, test="t.py::x"), folder=made.folder)
    run(tmp_path, "--rack-json", "run.json", "--rack", "rack.yaml")
    boards = {board.place: board for board in report(tmp_path / "run.json").boards}
    assert {name: board.state for name, board in boards.items()} == {
        "a": "healthy", "b": "quarantined", "c": "healthy", "shelf-1": "healthy",
    }  # fmt: skip
    assert [(each.said, each.nodeid, each.seconds) for each in boards["b"].evidence] == [
        ("It hung.", "t.py::x", None), ("It hung again.", "t.py::x", None), ("It hangs for good.", "t.py::x", None),
    ]  # fmt: skip


def test_boards_that_the_configuration_file_names_are_in_it_too(tmp_path: Path) -> None:
    ports = "virtual:?cpu=0&baud_pacing=0\n  /dev/ttyNOBODY7"
    run(tmp_path, "--rack-json", "run.json", "-o", f"nodemcu_board={ports}")
    boards = {board.place: board for board in report(tmp_path / "run.json").boards}
    assert boards["board-1"].state == "healthy"
    assert [each.said for each in boards["board-2"].evidence] == ["There is no /dev/ttyNOBODY7."]


def test_passwords_are_not_in_it(tmp_path: Path) -> None:
    run(tmp_path, "--rack-html", "run.html", "--rack-json", "run.json", "--board", "virtual:?wifi=home:hunter3")
    for name in ("run.html", "run.json"):
        text = (tmp_path / name).read_text()
        assert "hunter2" not in text and "hunter3" not in text


def test_the_key_of_the_tests_network_is_not_in_it_wherever_it_stands(tmp_path: Path) -> None:
    tests = """
import asyncio, os
import pytest
KEY = os.environ["NODEMCU_WIFI_PASSWORD"]
@pytest.mark.parametrize("what", ["pwd=" + KEY, KEY])
async def test_it(board, what):
    await board.exec(f"print('{what}') node.task.post(function() error('{what}') end)")
    assert 0, what
"""
    more = {"NODEMCU_WIFI_SSID": "home", "NODEMCU_WIFI_PASSWORD": "horse-staple"}
    fast = "virtual:?cpu=0&baud_pacing=0"
    run(tmp_path, "--rack-html", "run.html", "--rack-json", "run.json", "--board", fast, tests=tests, **more)
    made = report(tmp_path / "run.json")
    # A test that was hit by the last one's late error runs again.
    assert len({test.nodeid for test in made.tests}) == 2 and all(test.findings and test.console for test in made.tests)
    for name in ("run.html", "run.json"):
        assert "horse-staple" not in (tmp_path / name).read_text(), name


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, "text")
    assert os.read(reader, 10) == b"text" and pipe.is_fifo()
    os.close(reader)
