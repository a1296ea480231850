"""docs/asyncio-conformance.md is what the rows say, and the checker notices what is wrong with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from scripts.asyncio_conformance import (
    PAGE,
    ROOT,
    Conformance,
    Row,
    Suite,
    faults,
    our_tests,
    read_conformance,
    render,
)

TESTS = """
import pytest

async def test_it(world):
    pass

@pytest.mark.world("board")
async def test_on_a_board_only(world):
    pass

@pytest.mark.world("asyncio", "board-on-loopback")
async def test_not_on_the_virtual_clock(world):
    pass

async def test_without_a_world():
    pass
"""
FILE = "tests/streams/test_contract_it.py"
ROW = Row(("test_theirs",), (f"{FILE}::test_it",), "")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / FILE).parent.mkdir(parents=True)
    (tmp_path / FILE).write_text(TESTS)
    return tmp_path


def rows(*rows: Row) -> Conformance:
    return Conformance("2.7", (Suite("test_x.py", "Tests", "", rows),))


def test_every_row_has_its_test_and_the_page_is_written() -> None:
    assert faults(read_conformance()) == []
    assert PAGE.read_text(encoding="utf-8") == render(read_conformance()), "run python scripts/asyncio_conformance.py"


def test_which_tests_count(checkout: Path) -> None:
    assert our_tests(checkout) == {FILE: {"test_it", "test_not_on_the_virtual_clock"}}
    assert faults(rows(ROW), checkout) == []


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (replace(ROW, tests=()), "has either tests or a reason"),
        (replace(ROW, excluded="because"), "has either tests or a reason"),
        (replace(ROW, tests=(f"{FILE}::test_gone",)), "there is no test"),
        (replace(ROW, tests=(f"{FILE}::test_on_a_board_only",)), "in asyncio's world and a board's"),
        (replace(ROW, tests=(f"{FILE}::test_without_a_world",)), "there is no test"),
        (replace(ROW, names=("test_theirs", "test_theirs")), "is in two rows"),
    ],
)
def test_a_bad_row_is_named(checkout: Path, wrong: Row, fault: str) -> None:
    (found,) = faults(rows(wrong), checkout)
    assert fault in found and found.startswith("test_x.py Tests.test_theirs: ")


def test_pythons_own_names_are_looked_up() -> None:
    conformance = read_conformance()
    suite = replace(conformance.suites[0], rows=(Row(("test_nonsense",), (), "because"),))
    found = faults(replace(conformance, suites=(suite,)))
    if found:  # this Python is that version, and comes with its tests
        assert any("test_open_connection: has no row" in each for each in found)
        assert any("test_nonsense: is no test of CPython" in each for each in found)


def test_the_command_is_in_the_test_command() -> None:
    assert "asyncio_conformance.py" in (ROOT / "scripts" / "run_checks.py").read_text(encoding="utf-8")
