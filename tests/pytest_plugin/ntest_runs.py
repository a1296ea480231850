"""Runs of pytest, as processes of their own, on files that run on a virtual board."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from tests.pytest_plugin.boards import OPTIONS
from tests.test_layers import ROOT

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
    """Run pytest in a folder."""
    report = folder / "report.xml"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, f"--rootdir={folder}", "--board", board]
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
