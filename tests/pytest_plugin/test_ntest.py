"""What a run of pytest reports of files that run on a board."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pytest_plugin.ntest_runs import HEAD, MIXED, run_pytest
from tests.variants import by_night

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


@pytest.mark.parametrize("workers", by_night([(), ("-n", "2")], but=[("-n", "2")]), ids=["one process", "xdist"])
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
    assert run.said.count("not ok 2 fails # the same") == 1
    # Not what brought the file to the board, nor all of it once more.
    assert "wire of " not in run.said and "console of " not in run.said


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
