"""Runs of pytest on places of labgrid, as somebody with such a laboratory would do them."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bridge.child_python import module_environment
from tests.labgrid_place.conftest import PATIENCE
from tests.labgrid_place.laboratory import Laboratory
from tests.pytest_plugin.boards import OPTIONS
from tests.test_layers import ROOT

pytestmark = PATIENCE
#: What both places run.
SAME = ("test_values.py", "test_tmr.py", "test_net_interface.py", "test_net_dns.py")

TESTS = """
import pytest

@pytest.mark.parametrize("number", range(8))
async def test_it_counts(board, number, record_property):
    assert await board.eval("...", number) == number
    record_property("ip", (await board.net.ifinfo())["ip"])

@pytest.mark.board(tags=["on-tty"])
async def test_the_one_on_a_terminal(board):
    assert await board.eval("1+1") == 2

@pytest.mark.board(modules=["u8g2"])
async def test_what_no_place_has(board):
    raise AssertionError
"""


def run_pytest(*arguments: str | Path, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run pytest as a user would."""
    environment = {name: value for name, value in module_environment().items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *OPTIONS, *map(str, arguments)],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def outcomes(report: Path) -> dict[str, str]:
    """What became of each test of a report."""
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        words = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        found[f"{case.get('classname')}.{case.get('name')}"] = words[0] if words else "passed"
    return found


def test_the_same_tests_run_on_both_places(lab: Laboratory, tmp_path: Path) -> None:
    def run(place: str) -> dict[str, str]:
        env, report = lab.env_file(f"hil-{place}.yaml", main=place), tmp_path / f"{place}.xml"
        done = run_pytest(
            # Where the line resends, as through a busy computer, the agent's tables grow and shrink by 350 bytes.
            *("--labgrid", env, f"--junitxml={report}", "-o", "nodemcu_heap_slack=512"),
            *(Path("tests", "hil", name) for name in SAME),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return outcomes(report)

    with ThreadPoolExecutor() as pool:
        desk, shelf = pool.map(run, ("desk", "shelf"))
    assert desk == shelf and len(desk) >= 16 and {*desk.values()} == {"passed"}
    assert "desk" not in lab.client("who") and "shelf" not in lab.client("who")


def test_the_plugin_takes_its_boards_from_labgrid(lab: Laboratory, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n")
    env, report = lab.env_file("both.yaml", one="desk", two="shelf"), tmp_path / "report.xml"
    done = run_pytest(*OPTIONS, *("--labgrid", env, "-n", "2", f"--junitxml={report}"), tmp_path, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    found = outcomes(report)
    assert found.pop("test_it.test_what_no_place_has") == "skipped"
    assert len(found) == 9 and {*found.values()} == {"passed"}
    addresses = {str(one.get("value")) for one in ElementTree.parse(report).iter("property") if one.get("name") == "ip"}
    assert len(addresses) == 2, "both places were used"
    assert "desk" not in lab.client("who") and "shelf" not in lab.client("who")


@pytest.mark.nightly
def test_the_report_has_the_places_too_that_ran_nothing(lab: Laboratory, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    env, report = lab.env_file("report.yaml", one="desk", two="shelf"), tmp_path / "run.json"
    done = run_pytest(*OPTIONS, "--labgrid", env, f"--rack-json={report}", "-k", "terminal", tmp_path, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    boards = {each["place"]: each["port"] for each in json.loads(report.read_text())["boards"]}
    assert {*boards} == {"desk", "shelf"} and all(boards.values())


def test_a_wrong_environment_is_one_sentence(tmp_path: Path, lab: Laboratory) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("targets: {main: {resources: {NetworkSerialPort: {host: localhost, port: 1}}}}\n")
    done = run_pytest(*OPTIONS, "--labgrid", wrong, "-k", "terminal", tmp_path, folder=tmp_path)
    said = done.stdout + done.stderr
    assert "wrong.yaml names no place of a coordinator" in said and "Traceback" not in said
    assert done.returncode == 4, "wrong use"
