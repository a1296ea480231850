"""bridge/comparison/run.py: what is played on which board, and what becomes of tests that fail."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from bridge.comparison import run
from bridge.comparison.facts import Facts
from bridge.comparison.report import Report
from bridge.comparison.run import Survey
from bridge.comparison.scenarios import Scenario
from tests.conftest import INSTALLED

FACTS = Facts("5.1", "float", ("file", "net"), True, 115200, "3.0.0.0", "3.0", 4 << 20, 80, 44600)
SURVEY = Survey(FACTS, lines=True, files=False, figures={}, hold_s=0.1)


def scenario(name: str) -> Scenario:
    return Scenario(name, Path("console.py"), "")


def test_a_board_with_lines_and_without_files_plays_all() -> None:
    assert run.why_not(scenario("uarton_n0_raw"), SURVEY) == ""
    assert run.why_not(scenario("file_init"), SURVEY) == ""


def test_what_ends_without_a_prompt_needs_lines() -> None:
    assert "no lines" in run.why_not(scenario("uarton_n0_raw"), dataclasses.replace(SURVEY, lines=False))


def test_a_users_files_are_not_written_over() -> None:
    assert "files of its own" in run.why_not(scenario("file_init"), dataclasses.replace(SURVEY, files=True))


def test_failed_and_skipped_tests_are_told_apart(tmp_path: Path) -> None:
    tests = tmp_path / "tests" / "hil"
    tests.mkdir(parents=True)
    (tests / "conftest.py").write_text("" if INSTALLED else "pytest_plugins = ['bridge.pytest_plugin']\n")
    (tests / "test_some.py").write_text(
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(request): assert request.config.getoption('--board') == ['else']\n"
        "def test_not_here(): pytest.skip('no module')\n"
        "@pytest.fixture\n"
        "def broken(): raise RuntimeError('no board')\n"
        "def test_not_even_begun(broken): pass\n"
    )
    report = Report("virtual:", FACTS, FACTS, [], "virtual:")
    run.run_tests("virtual:", tests, tmp_path, report)
    assert (report.tests_passed, report.tests_skipped) == (1, 1)
    assert [test.name for test in report.tests] == ["test_bad", "test_not_even_begun"]
    assert "AssertionError" in report.tests[0].message
    assert "no board" in report.tests[1].message
