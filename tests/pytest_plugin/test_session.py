"""Boards of a rack for many workers, and for tests that say what they need."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from bridge.rack.load import load_rack
from bridge.rack.rack import Rack
from tests.pytest_plugin.boards import FAST, noted, rack_file, run, served
from tests.pytest_plugin.test_leased import AT_THE_NEXT_OPENING


@pytest.mark.parametrize(("workers", "places"), [(4, 2), pytest.param(8, 4, marks=pytest.mark.nightly)])
def test_more_workers_than_boards_all_get_theirs(
    pytester: pytest.Pytester, tmp_path: Path, workers: int, places: int
) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number", range(20))
        async def test_it(board, number):
            assert await board.eval("... + 1", number) == number + 1
        """
    )
    with served(places) as boards:
        junit = pytester.path / "junit.xml"
        result, reports = noted(
            pytester, "-n", str(workers), "--rack", rack_file(tmp_path, boards), f"--junitxml={junit}", "--rack-strict"
        )
    result.assert_outcomes(passed=20)
    used = [facts["place"] for line in reports.lines if line["when"] == "call" and (facts := line["facts"])]
    assert len(used) == 20 and {*used} == {f"shelf-{number}" for number in range(1, places + 1)}
    assert len(re.findall('name="charged_to"', junit.read_text())) == 0
    assert len(re.findall('name="heap_after" value="[0-9]+"', junit.read_text())) == 20


def test_what_no_board_has_is_skipped_or_fails_when_that_is_wanted(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.board(modules=["mqtt"])
        async def test_module(board):
            pass

        @pytest.mark.board(tags=["red"])
        async def test_tag(board):
            pass

        @pytest.mark.board(flash="16MB")
        async def test_flash(board):
            pass

        @pytest.mark.board(lua="5.3")
        async def test_lua(board):
            pass

        @pytest.mark.board(modules=["tls", "net"], flash="4MB", lua="5.1")
        async def test_all_is_there(board):
            assert {"tls", "net"} <= set(board.facts.modules)

        @pytest.mark.board(colour="red")
        async def test_mistake(board):
            pass
        """
    )
    result = run(pytester, "--board", FAST, "-rs")
    result.assert_outcomes(passed=1, skipped=4, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*the mark board knows no colour; it knows modules, tags, flash, place, lua, restarts.",
            "SKIPPED*board-1 has no module mqtt*",
            "SKIPPED*board-1 lacks the tag red*",
            "SKIPPED*board-1 has 4194304 bytes of flash, not 16777216*",
            "SKIPPED*board-1 has Lua 5.1, not 5.3*",
        ]
    )
    run(pytester, "--board", FAST, "--rack-strict").assert_outcomes(passed=1, errors=5)


def test_who_waits_says_so_and_gives_up_in_time(pytester: pytest.Pytester, tmp_path: Path) -> None:
    pytester.makepyfile("async def test_it(board): pass")

    async def main() -> pytest.RunResult:
        rack = Rack(load_rack(file))
        async with await rack.claim(purpose="to be in the way"):
            return await asyncio.to_thread(run, pytester, "--rack", file, "--board-wait", "6")

    with served(1) as boards:
        file = rack_file(tmp_path, boards)
        result = asyncio.run(main())
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*No board became free within 6.*shelf-1*to be in the way*"])
    result.stderr.fnmatch_lines(["*test_it waits for any board; held are shelf-1 by *, for to be in the way since *"])


@pytest.mark.parametrize("count", [1, 2])
def test_a_board_that_dies_between_two_tests_is_given_back(
    pytester: pytest.Pytester, tmp_path: Path, count: int
) -> None:
    pytester.makepyfile(
        """
        import os
        import signal
        import time

        async def test_before(board):
            pass

        def test_meanwhile():
            os.kill(int(os.environ["BOARD"]), signal.SIGKILL)
            time.sleep(1.2)  # by now nobody relies on the last look at the board

        async def test_after(board):
            pass

        async def test_later(board):
            pass

        async def test_the_rack(rack):
            assert [place.holder for place in rack.status().places] in ([None], [None, None])
        """
    )
    with served(count) as boards, pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOARD", str(boards[0].process.pid))
        result = run(pytester, "--rack", rack_file(tmp_path, boards), "--board-wait", "3")
    # Where there is another one, that is taken.
    result.assert_outcomes(passed=5) if count == 2 else result.assert_outcomes(passed=3, errors=2)
    said = result.stdout.str()
    assert "No board became free" not in said and "During handling" not in said


def test_what_comes_on_a_board_that_is_given_back_is_charged(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import time

        async def test_leaves_a_timer(board):
            await board.exec("tmr.create():alarm(60, 0, function() error('late') end)")

        def test_on_no_board():
            time.sleep(0.3)

        async def test_has_others(boards):
            await boards(2)

        async def test_leaves_another(board):
            await board.exec("tmr.create():alarm(60, 0, function() error('last') end)")

        def test_on_no_board_either():
            time.sleep(0.3)

        async def test_the_rack(rack):
            pass
        """
    )
    result, reports = noted(pytester, "--board", FAST, "--board", FAST, "-o", "nodemcu_heap_slack=1000")
    result.assert_outcomes(passed=6, failed=2)
    late = reports.calls("test_leaves_a_timer")[1]
    assert late["outcome"] == "failed" and "t1" in late["text"] and "::test_has_others" in late["text"]
    assert reports.outcomes("test_leaves_another") == ["passed", "failed"]


def test_what_comes_as_another_worker_opens_the_board_is_charged_by_name(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    pytester.makepyfile(
        f"""
        import pathlib
        import time
        import pytest

        LEFT = pathlib.Path("left")

        async def test_leaves_a_timer(board):
            await board.exec({AT_THE_NEXT_OPENING!r})
            LEFT.touch()

        @pytest.fixture
        def later():
            while not LEFT.exists():
                time.sleep(0.05)

        async def test_on_another_worker(later, board):
            pass
        """
    )
    with served(1) as boards:
        junit = pytester.path / "junit.xml"
        options = ("-n", "2", "-o", "nodemcu_heap_slack=1000", f"--junitxml={junit}")
        result, reports = noted(pytester, *options, "--rack", rack_file(tmp_path, boards))
    result.assert_outcomes(passed=2, failed=1)
    assert reports.outcomes("test_leaves_a_timer") == ["passed", "failed"]
    late = reports.calls("test_leaves_a_timer")[1]
    assert "late" in late["text"] and "::test_on_another_worker" in late["text"]
    assert reports.outcomes("test_on_another_worker") == ["passed"]
