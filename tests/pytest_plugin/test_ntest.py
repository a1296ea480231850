"""Runs of pytest, as processes of their own, on files that run on a virtual board."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.test_layers import ROOT

CONFTEST = """
from tests.conftest import pytest_addoption, pytest_configure
from tests.hil.conftest import *
from tests.hil.conftest import _has_what_is_needed, _has_the_heap_that_is_needed
"""
#: Each says the same number as long as it has run once.
HEAD = """
local N = ...
N = (N or require "NTest")("run")
local once = "run " .. tmr.now()
"""
MIXED = (
    HEAD
    + """
N.test("passes", function() print(once) ok(true) end)
N.test("fails", function() print(once) ok(eq(1, 2), "the same") end)
if false then N.test("does not run", function() end) end
for i = 1, 2 do
  N.test("made up " .. i, function() print(once) ok(i == 1, "one") end)
end
N.test("passes", function() print(once) end)
"""
)
RESTARTS = (
    HEAD
    + """
N.test("fine", function() print(once) ok(true) end)
N.testasync("restarts", function() print(once) node.restart() end)
N.test("comes too late", function() ok(true) end)
"""
)
EXPECTED = {
    ("NTest_mixed.lua", "passes"): "passed",
    ("NTest_mixed.lua", "fails"): "failure",
    ("NTest_mixed.lua", "does not run"): "skipped",
    ("NTest_mixed.lua", "made up 1"): "passed",
    ("NTest_mixed.lua", "made up 2"): "failure",
    ("NTest_mixed.lua", "passes (2)"): "passed",
    ("NTest_mixed.lua", "(whole file)"): "passed",
    ("NTest_restarts.lua", "fine"): "passed",
    ("NTest_restarts.lua", "restarts"): "failure",
    ("NTest_restarts.lua", "comes too late"): "failure",
    ("NTest_restarts.lua", "(whole file)"): "failure",
}


@dataclass
class Case:
    """A test case of a JUnit report."""

    outcome: str
    seconds: float
    console: str
    text: str


@dataclass
class Run:
    """A run of pytest."""

    code: int
    said: str
    cases: dict[tuple[str, str], Case]


def run_pytest(folder: Path, *arguments: str | Path, board: str = "virtual:") -> Run:
    """Run pytest in a folder that gets a conftest.py."""
    (folder / "conftest.py").write_text(CONFTEST)
    report = folder / "report.xml"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--rootdir={folder}", "--board", board]
        + ["--import-mode=importlib", f"--junitxml={report}", *map(str, arguments)],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        errors="replace",
    )
    cases = {}
    for case in ElementTree.parse(report).iter("testcase") if report.exists() else ():
        wrong = next((each for each in case if each.tag != "properties"), None)
        consoles = [each.get("value", "") for each in case.iter("property") if each.get("name") == "board_console"]
        name = case.get("classname", "").rpartition("NTest_")[2]
        cases[f"NTest_{name}", case.get("name", "")] = Case(
            "passed" if wrong is None else wrong.tag,
            float(case.get("time", 0)),
            "".join(consoles),
            "" if wrong is None else f"{wrong.get('message')} {wrong.text}",
        )
    return Run(done.returncode, done.stdout + done.stderr, cases)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "xdist"])
def test_each_sub_test_is_a_case_with_what_the_board_printed(tmp_path: Path, workers: tuple[str, ...]) -> None:
    (tmp_path / "NTest_mixed.lua").write_text(MIXED)
    (tmp_path / "NTest_restarts.lua").write_text(RESTARTS)
    (tmp_path / "other.lua").write_text("not ours")
    run = run_pytest(tmp_path, "-v", *workers)
    assert {name: case.outcome for name, case in run.cases.items()} == EXPECTED, run.said
    assert run.code == 1
    for file in ("NTest_mixed.lua", "NTest_restarts.lua"):
        said = [line for name, case in run.cases.items() if name[0] == file for line in case.console.splitlines()]
        once = [line for line in said if line.startswith("run ")]
        assert len(once) == (5 if "mixed" in file else 2) and len(set(once)) == 1, once
    fails = run.cases["NTest_mixed.lua", "fails"]
    assert "the same: 1 and 2 differ" in fails.text
    assert "# begin fails" in fails.console and "# begin passes" not in fails.console
    assert "The board restarted during 'restarts'" in run.cases["NTest_restarts.lua", "restarts"].text
    assert "It did not run. The board restarted" in run.cases["NTest_restarts.lua", "comes too late"].text
    assert "powered by Lua" in run.cases["NTest_restarts.lua", "restarts"].console
    assert "TAP: # STARTUP run" in run.cases["NTest_mixed.lua", "(whole file)"].console
    # What the board printed is shown with what failed.
    assert run.said.count("not ok 2 fails # the same") >= 1


def test_one_of_them_by_name_from_elsewhere(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir(), there.mkdir()
    (there / "NTest_mixed.lua").write_text(MIXED)
    run = run_pytest(here, "-v", "--confcutdir=/", "-p", "conftest", f"{there}/NTest_mixed.lua::fails")
    assert [name for name in run.cases] == [("NTest_mixed.lua", "fails")], run.said
    assert "../there/NTest_mixed.lua::fails FAILED" in run.said


def test_options(tmp_path: Path) -> None:
    (tmp_path / "NTest_own.lua").write_text(
        'local more = require("more")\nprint("TAP: 1..1\\nTAP: ok 1 - " .. more)\nlocal N = {} N.test = print\n'
    )
    (tmp_path / "more.lua").write_text('return "it is there"')
    run = run_pytest(tmp_path, "--ntest-own-tap", "--ntest-with", "more.lua", "-rA")
    assert {name: case.outcome for name, case in run.cases.items()} == {
        ("NTest_own.lua", "(whole file)"): "passed",
        ("NTest_own.lua", "it is there"): "passed",
    }, run.said
    (tmp_path / "NTest.lua").write_text("return function() error('of the given library') end")
    (tmp_path / "NTest_own.lua").write_text('require "NTest"("x").test("y", function() end)')
    run = run_pytest(tmp_path, "--ntest-library", "NTest.lua")
    assert "of the given library" in run.cases["NTest_own.lua", "(whole file)"].text


def test_what_a_file_wants_is_asked_of_its_board(tmp_path: Path) -> None:
    (tmp_path / "NTest_w.lua").write_text("-- board: modules=tmr,file flash=4194304\n" + MIXED)
    shown = run_pytest(tmp_path, "--collect-only", "-q", "-m", "board")
    assert "NTest_w.lua::fails" in shown.said and "5 tests collected" in shown.said
    (tmp_path / "NTest_w.lua").write_text("-- board: flash=much\n" + MIXED)
    shown = run_pytest(tmp_path, "--collect-only")
    assert "flash=much is no number of bytes" in shown.said and "Traceback" not in shown.said


@pytest.mark.skipif("NODEMCU_FIRMWARE" not in os.environ, reason="NODEMCU_FIRMWARE names no checkout of the firmware")
@pytest.mark.parametrize("options", ["", "?lua=5.3", "?number=integer"])
def test_the_firmwares_own_files(tmp_path: Path, options: str) -> None:
    tests = Path(os.environ["NODEMCU_FIRMWARE"]) / "tests"
    files = [tests / f"NTest_{name}.lua" for name in ("tmr", "file", "lua")]
    run = run_pytest(tmp_path, "--confcutdir=/", "-p", "conftest", *files, board=f"virtual:{options}")
    assert run.code == 0, run.said
    assert len(run.cases) == 7 + 17 + 1 + 3
    assert {case.outcome for case in run.cases.values()} == {"passed"}


@pytest.mark.skipif("NODEMCU_FIRMWARE" not in os.environ, reason="NODEMCU_FIRMWARE names no checkout of the firmware")
def test_the_firmwares_own_library(tmp_path: Path) -> None:
    tests = Path(os.environ["NODEMCU_FIRMWARE"]) / "tests"
    library = ("--confcutdir=/", "-p", "conftest", "--ntest-library", tests / "NTest" / "NTest.lua")
    run = run_pytest(tmp_path, *library, tests / "NTest_tmr.lua")
    assert run.code == 0 and len(run.cases) == 8, run.said
    # Without LFS the two are too much, as its authors say.
    run = run_pytest(tmp_path, *library, tests / "NTest_file.lua")
    assert "not enough memory" in run.cases["NTest_file.lua", "(whole file)"].text
