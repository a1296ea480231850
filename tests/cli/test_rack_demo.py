"""The demo as a person runs it, and what it leaves: the page, in Debian's chromium too, JUnit and JSON."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml

from bridge.child_python import module_command, module_environment
from bridge.rack_report import RackReport, verdict
from scripts.chromium import Chromium, Page
from tests.programs import require

SCHEMA = Path(__file__).parents[2] / "schemas" / "rack-report.json"


@pytest.mark.timeout(300)  # beside other tests, on two cores
def test_the_demo_ends_by_itself_and_leaves_what_it_says(tmp_path: Path) -> None:
    """One test, as it takes a minute."""
    command = [*module_command("bridge.cli"), "rack", "demo", "--to", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=module_environment(), timeout=280)
    went_as_it_should(done)
    says_whose_fault_what_was(tmp_path)
    junit_has_every_test(tmp_path)
    the_page_shows_it_and_fetches_nothing(tmp_path)


def started_for(folder: Path) -> list[int]:
    """Processes of a run of the demo: its folder stands in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if str(folder).encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


@pytest.mark.timeout(120)
@pytest.mark.nightly
def test_a_demo_that_is_ended_leaves_no_process_and_the_page_of_what_there_was(tmp_path: Path) -> None:
    command = [*module_command("bridge.cli"), "rack", "demo", "--to", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=module_environment()) as process:
        assert process.stdout is not None
        # The first results come as dots in a line that is not over.
        said = ""
        while not re.search(r"\n[.F]", said):
            said += (char := process.stdout.read(1))
            assert char, said
        places = yaml.safe_load((tmp_path / "rack.yaml").read_text())["places"]
        assert len(started_for(tmp_path)) >= 5  # pytest and its workers
        process.terminate()
        process.stdout.read()
        assert process.wait(60) == 143
    assert started_for(tmp_path) == []
    for place in places:
        parts = urlsplit(place["port"])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((parts.hostname or "", parts.port or 0), timeout=5)
    report = RackReport.model_validate_json((tmp_path / "run.json").read_text())
    assert report.interrupted and 0 < report.totals.tests < 60


def went_as_it_should(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    assert "58 of 60 tests passed" in done.stdout and "shelf-3 and shelf-4" in done.stdout
    assert "    shelf-3: The board restarted by itself" in done.stdout
    assert any(line.startswith("    shelf-4: The board ") for line in done.stdout.splitlines()), done.stdout


def says_whose_fault_what_was(folder: Path) -> None:
    content = json.loads((folder / "run.json").read_text())
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(content)
    report = RackReport.model_validate(content)
    assert (report.totals.tests, report.totals.passed, report.totals.charged_to_test) == (60, 58, 2)
    assert {board.place: board.state == "healthy" for board in report.boards} == {
        "shelf-1": True, "shelf-2": True, "shelf-3": False, "shelf-4": False,
    }  # fmt: skip
    again = [test for test in report.tests if test.outcome == "again"]
    assert {test.place for test in again} == {"shelf-3", "shelf-4"}
    assert {test.charged_to for test in again} == {"board"}
    assert all(test.heap_before for test in report.tests if test.outcome == "passed")


def junit_has_every_test(folder: Path) -> None:
    suites = ElementTree.parse(folder / "junit.xml").getroot()
    cases = [*suites.iter("testcase")]
    failed = {case.get("name") for case in cases if case.find("failure") is not None}
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == 60
    assert failed == {"test_wrong_about_the_answer", "test_leaves_a_timer_behind"}


def the_page_shows_it_and_fetches_nothing(folder: Path) -> None:
    report = RackReport.model_validate_json((folder / "run.json").read_text())
    with Chromium(require("chromium")) as browser:
        shown = Page(browser, folder / "run.html")
        assert shown.ask("document.querySelector('h1').textContent") == verdict(report)
        for selector, count in (("svg.lane", 4), (".board.sick, .board.quarantined", 2), (".failure", 4)):
            assert shown.ask(f"document.querySelectorAll('{selector}').length") == count, selector
        assert shown.ask("document.querySelectorAll('tbody tr').length") == 62
        assert shown.ask("document.querySelectorAll('tbody svg.heap').length") > 50
        assert shown.fetched() == [shown.url] and shown.complaints() == []


def test_without_pytest_it_says_what_is_missing(tmp_path: Path) -> None:
    program = "import sys; sys.modules['xdist'] = None; from bridge.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", program, "rack", "demo", "--to", str(tmp_path)],
        capture_output=True, text=True, env=module_environment(), timeout=60,
    )  # fmt: skip
    assert done.returncode == 2 and "pytest-xdist is not installed" in done.stderr
    assert "pip install 'nodemcu-bridge[pytest]'" in done.stderr
    assert "Traceback" not in done.stderr and not [*tmp_path.iterdir()]
