"""The end of a run; that late charges come with it is in test_protocol.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.rack.load import load_rack
from bridge.rack.rack import Rack
from tests.pytest_plugin.boards import noted, rack_file, served


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["alone", "worker"])
def test_boards_are_free_afterwards_and_late_charges_are_made(
    pytester: pytest.Pytester, tmp_path: Path, workers: list[str]
) -> None:
    pytester.makepyfile(
        """
        async def test_leaves_a_timer(board):
            await board.exec("tmr.create():alarm(60, 0, function() error('late') end)")

        def test_on_no_board():
            import time
            time.sleep(0.4)
        """
    )
    with served(1) as boards:
        file = rack_file(tmp_path, boards)
        result, reports = noted(pytester, *workers, "--rack", file, "-o", "nodemcu_heap_slack=1000")
        assert [place.state for place in Rack(load_rack(file)).status().places] == ["free"]
    result.assert_outcomes(passed=2, failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert reports.outcomes("test_leaves_a_timer") == ["passed", "failed"]
