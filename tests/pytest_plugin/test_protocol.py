"""Who is charged with what, in whole runs of pytest on virtual boards."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge.rack.load import load_rack
from bridge.rack.rack import Rack
from tests.pytest_plugin.boards import FAST, noted, rack_file, served
from tests.pytest_plugin.junit import check_junit


def test_what_a_test_does_to_the_board_is_its_own_failure(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import asyncio
        import pytest

        KEPT = []

        async def test_errs_in_a_callback(board):
            await board.exec("tmr.create():alarm(1, 0, function() local x x.y = 1 end)")
            await asyncio.sleep(0.05)

        async def test_keeps_a_handle(board):
            KEPT.append(await board.lua.tmr.create())

        async def test_keeps_heap(board):
            await board.exec("kept = {} for i = 1, 60 do kept[i] = {} end")

        async def test_raises_in_a_function_that_lua_calls(board):
            called = asyncio.Event()
            def wrong():
                called.set()
                raise ValueError("no")
            await board.exec("node.task.post((...))", lambda *_: wrong())
            await called.wait()

        async def test_fails_by_itself_and_keeps_heap(board):
            await board.exec("kept = {} for i = 1, 60 do kept[i] = {} end")
            assert False, "by itself"

        async def test_is_clean(board):
            assert await board.eval("kept") is None

        async def test_prints_what_reads_like_an_error(board):
            await board.exec("print(debug.traceback('t9:1: no error'))")

        async def test_is_at_the_prompt(board):
            async with board.prompt():
                pass

        async def test_changes_the_mode(board):
            await board.exec("wifi.setmode(wifi.NULLMODE)")

        async def test_leaves_the_network(board, board_address):
            await board.exec("wifi.sta.disconnect()")

        async def test_has_a_network(board, board_address):
            assert await board.eval("wifi.getmode()") == 1

        async def test_restarts_the_board(board):
            await board.node.restart()

        @pytest.mark.board(restarts=True)
        async def test_may_err(board):
            await board.exec("tmr.create():alarm(1, 0, function() error('wanted') end)")
            await asyncio.sleep(0.05)
        """
    )
    result, reports = noted(pytester, "--board", FAST)
    result.assert_outcomes(passed=6, failed=7)
    found = {
        name: (reports[f"test_{name}"]["facts"]["kinds"], reports[f"test_{name}"]["facts"]["charged_to"])
        for name in (
            "errs_in_a_callback", "keeps_a_handle", "keeps_heap", "raises_in_a_function_that_lua_calls",
            "fails_by_itself_and_keeps_heap", "is_clean", "prints_what_reads_like_an_error", "restarts_the_board",
            "may_err", "is_at_the_prompt", "changes_the_mode", "leaves_the_network", "has_a_network",
        )
    }  # fmt: skip
    assert found == {
        "errs_in_a_callback": (["error"], "test"),
        "keeps_a_handle": (["handles"], "test"),
        "keeps_heap": (["heap"], "test"),
        "raises_in_a_function_that_lua_calls": (["callback"], "test"),
        "fails_by_itself_and_keeps_heap": (["heap"], "test"),
        "is_clean": ([], None),
        "prints_what_reads_like_an_error": ([], None),
        "restarts_the_board": ([], None),
        "may_err": ([], None),
        "is_at_the_prompt": ([], None),
        "changes_the_mode": (["wifi"], "test"),
        "leaves_the_network": (["wifi"], "test"),
        "has_a_network": ([], None),
    }
    assert reports["test_is_clean"]["facts"]["firmware"].startswith("NodeMCU 3.0.0, ")
    assert "attempt to index" in reports["test_errs_in_a_callback"]["text"]
    assert "stack traceback" in reports["test_errs_in_a_callback"]["facts"]["console"]
    assert "found" not in reports["test_fails_by_itself_and_keeps_heap"]["text"], "who fails cannot tidy up"
    titles = [title for title, _ in reports["test_errs_in_a_callback"]["sections"]]
    assert [title.split(" of ")[0] for title in titles] == ["console", "wire", "heap"]


def test_what_a_test_left_behind_is_charged_to_it_and_who_was_hit_runs_again(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_late="""
        import asyncio

        async def test_leaves_a_timer(board):
            await board.exec("tmr.create():alarm(250, 0, function() error('late') end)")

        RUNS = []

        async def test_is_hit(board):
            RUNS.append(1)
            until = asyncio.get_running_loop().time() + 3
            while asyncio.get_running_loop().time() < until and len(RUNS) == 1:
                await board.eval("1+1")
                await asyncio.sleep(0.1)

        async def test_leaves_another(board):
            await board.exec("tmr.create():alarm(60, 0, function() error('last') end)")

        def test_on_no_board():
            import time
            time.sleep(0.3)
        """
    )
    # A timer takes 272 bytes; here it is not to be found by that.
    junit = pytester.path / "junit.xml"
    result, reports = noted(pytester, "--board", FAST, "-o", "nodemcu_heap_slack=1000", f"--junitxml={junit}")
    result.assert_outcomes(passed=4, failed=2)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert reports.outcomes("test_leaves_a_timer") == ["passed", "failed"]
    assert reports.outcomes("test_is_hit") == ["rerun", "passed"]
    assert reports.outcomes("test_leaves_another") == ["passed", "failed"]
    late = reports.calls("test_leaves_a_timer")[1]
    assert "late" in late["text"] and "test_is_hit" in late["text"] and late["facts"]["charged_to"] == "test"
    # The run inside a worker of xdist takes its number into the names of chunks.
    assert re.search(r"t1r[0-9a-f]{4}(w\d+)?:1: late", late["facts"]["console"])
    assert "after the last test" in reports.calls("test_leaves_another")[1]["text"]
    assert junit.read_text().count('name="test_leaves_a_timer"') == 2
    cases = check_junit(junit)
    assert [len(case.findall("failure")) for case in cases if case.get("name") == "test_leaves_a_timer"] == [0, 1]


def test_a_board_that_restarts_by_itself_is_charged_when_the_test_passes_elsewhere(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    pytester.makepyfile(
        """
        import asyncio
        import os
        import signal

        BUTTON = int(os.environ["BOARD_WITH_A_BUTTON"])

        async def test_someone_presses_reset(board, request):
            if board.url == os.environ["SICK"]:
                os.kill(BUTTON, signal.SIGUSR1)
                while True:
                    await board.eval("1+1")
                    await asyncio.sleep(0.05)
            assert await board.eval("6*7") == 42

        async def test_starves_the_watchdog(board):
            await board.exec("while true do end")
        """
    )
    with served(2, "--no-baud-pacing", "--adapter-latency-ms", "0", "--cpu", "0") as boards:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("BOARD_WITH_A_BUTTON", str(boards[0].process.pid))
            patch.setenv("SICK", boards[0].url)
            result, reports = noted(pytester, "--rack", rack_file(tmp_path, boards))
    result.assert_outcomes(passed=1, failed=1)
    assert reports.outcomes("test_someone_presses_reset") == ["rerun", "passed"]
    facts = reports.calls("test_someone_presses_reset")[1]["facts"]
    assert (facts["place"], facts["charged_to"]) == ("shelf-2", "board")
    result.stdout.fnmatch_lines(["*boards that are charged*", f"shelf-1 ({boards[0].url}) is charged with *"])
    assert reports.outcomes("test_starves_the_watchdog") == ["rerun", "failed"], "it happens on each board"
    facts = reports.calls("test_starves_the_watchdog")[1]["facts"]
    assert facts["charged_to"] == "test" and "software watchdog" in facts["finding"]


def test_a_board_that_hangs_is_named_and_the_others_go_on(pytester: pytest.Pytester, tmp_path: Path) -> None:
    pytester.makepyfile(
        """
        import os
        import pytest
        import signal

        @pytest.mark.parametrize("number", range(4))
        async def test_it(board, number):
            if board.url == os.environ["SICK"]:
                # It feeds its watchdog, and does nothing else for ever.
                await board.exec("while true do tmr.wdclr() end", timeout=2)
            assert await board.eval("6*7") == 42
        """
    )
    with served(2, "--no-baud-pacing", "--adapter-latency-ms", "0", "--cpu", "0") as boards:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SICK", boards[0].url)
            file = rack_file(tmp_path, boards, more=", power: {reset: none}")
            result, reports = noted(pytester, "--rack", file)
    result.assert_outcomes(passed=4)
    first = reports.calls("test_it[0]")
    assert [line["outcome"] for line in first] == ["rerun", "passed"]
    assert first[0]["facts"]["kinds"] == ["silent"] and first[1]["facts"]["charged_to"] == "board"
    result.stdout.fnmatch_lines([f"shelf-1 ({boards[0].url}) is charged with *does not answer*"])
    assert {line["facts"]["place"] for line in reports.lines if line["outcome"] == "passed"} == {"shelf-2"}
    rack = Rack(load_rack(file))
    (failure, *_) = rack.status().places[0].failures
    assert failure.test.endswith("::test_it[0]") and "does not answer" in failure.what


def test_a_test_that_gets_no_board_any_more_tells_what_became_of_its_first(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    pytester.makepyfile(
        """
        import os
        import signal

        async def test_it(board):
            os.kill(int(os.environ["BOARD"]), signal.SIGKILL)
            await board.state_changed()
        """
    )
    with served(1) as boards, pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOARD", str(boards[0].process.pid))
        result, reports = noted(pytester, "--rack", rack_file(tmp_path, boards))
    result.assert_outcomes(errors=1)
    assert (reports["test_it"]["outcome"], reports["test_it"]["facts"]["kinds"]) == ("rerun", ["lost"])
    said = result.stdout.str()
    before = said[said.index("found on the board before") :]
    assert "\nThe board is lost: " in before and ".." not in before.splitlines()[1]
