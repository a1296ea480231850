"""The end of a run; that late charges come with it is in test_protocol.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.rack.load import load_rack
from bridge.rack.rack import Rack
from tests.pytest_plugin.boards import noted, rack_file, run, served


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["alone", "worker"])
def test_boards_are_free_afterwards_and_late_charges_are_made(
    pytester: pytest.Pytester, tmp_path: Path, workers: list[str]
) -> None:
    pytester.makepyfile(
        """
        async def test_leaves_a_timer(board):
            await board.exec("tmr.create():alarm(500, 0, function() error('late') end)")

        def test_on_no_board():
            import time
            time.sleep(1.2)
        """
    )
    with served(1) as boards:
        file = rack_file(tmp_path, boards)
        result, reports = noted(pytester, *workers, "--rack", file, "-o", "nodemcu_heap_slack=1000")
        assert [place.state for place in Rack(load_rack(file)).status().places] == ["free"]
    result.assert_outcomes(passed=2, failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert reports.outcomes("test_leaves_a_timer") == ["passed", "failed"]


def test_an_interrupt_gives_the_board_back_when_the_fixtures_are_done_with_it(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture
        async def tidy(board):
            yield
            assert await board.eval("6*7") == 42
            print("it is tidy now")

        @pytest.hookimpl(trylast=True)
        def pytest_sessionfinish(session):
            from bridge.pytest_plugin.start import rack_of
            print("held by", [place.holder for place in rack_of(session.config).status().places])
        """
    )
    pytester.makepyfile(
        """
        async def test_it(board, tidy):
            pass

        def test_is_interrupted(sync_board, tidy):
            raise KeyboardInterrupt
        """
    )
    with served(1) as boards:
        result = run(pytester, "-s", "--rack", rack_file(tmp_path, boards))
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(passed=1)
    assert result.stdout.str().count("it is tidy now") == 2
    result.stdout.fnmatch_lines(["*held by [[]None[]]*"])
