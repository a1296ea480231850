"""Reruns that the user asks for. The plugin that has the options for it need not be here: a module stands for it."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests.pytest_plugin.boards import FAST, noted

#: What pytest-rerunfailures tells of a test, as far as it is asked.
_STAND_IN = """
def get_reruns_count(item):
    mark = item.get_closest_marker("flaky")
    return mark.kwargs["reruns"] if mark else None

def pytest_configure(config):
    config.addinivalue_line("markers", "flaky(reruns): runs again")
"""


def test_a_test_on_a_board_runs_again_as_often_as_is_asked(pytester: pytest.Pytester) -> None:
    options = []
    if find_spec("pytest_rerunfailures") is None:
        pytester.makepyfile(rerunfailures=_STAND_IN)
        options = ["-p", "rerunfailures"]
    pytester.makepyfile(
        test_it="""
        import pytest

        RUNS = {}

        def count(name):
            RUNS[name] = RUNS.get(name, 0) + 1
            return RUNS[name]

        @pytest.mark.flaky(reruns=2)
        async def test_third_time_lucky(board):
            assert count("lucky") == 3

        @pytest.mark.flaky(reruns=1)
        async def test_once_more_is_not_enough(board):
            assert count("enough") == 3

        @pytest.mark.flaky(reruns=1)
        async def test_what_is_found_on_the_board_counts(board):
            if count("found") == 1:
                await board.exec("kept = {} for i = 1, 60 do kept[i] = {} end")

        async def test_not_asked(board):
            assert count("not") == 2
        """
    )
    result, reports = noted(pytester, "--board", FAST, *options)
    result.assert_outcomes(passed=2, failed=2)
    assert reports.outcomes("test_third_time_lucky") == ["rerun", "rerun", "passed"]
    assert reports.outcomes("test_once_more_is_not_enough") == ["rerun", "failed"]
    assert reports.outcomes("test_what_is_found_on_the_board_counts") == ["rerun", "passed"]
    assert reports.outcomes("test_not_asked") == ["failed"]
    first = reports.calls("test_what_is_found_on_the_board_counts")[0]
    assert first["facts"]["kinds"] == ["heap"] and "bytes of heap" in first["text"]
