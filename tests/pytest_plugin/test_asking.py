"""Which tests are looked at, in whole runs."""

from __future__ import annotations

import pytest

from tests.pytest_plugin.boards import FAST, noted, run


def test_a_fixture_that_is_made_of_ours_is_ours_too(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        class TestOnBoards:
            @pytest.fixture
            async def board(self, board):
                await board.exec("mine = 1")
                return board

            async def test_keeps_heap(self, board):
                assert await board.eval("mine") == 1
                await board.exec("kept = {} for i = 1, 60 do kept[i] = {} end")

        class TestElsewhere:
            @pytest.fixture
            def board(self):
                return "chess"

            def test_chess(self, board):
                assert board == "chess"

            @pytest.mark.parametrize("board", ["go"])
            def test_go(self, board):
                assert board == "go"
        """
    )
    result, reports = noted(pytester, "--board", FAST)
    result.assert_outcomes(passed=2, failed=1)
    assert reports["test_keeps_heap"]["facts"]["kinds"] == ["heap"]


def test_a_board_that_is_asked_for_behind_the_plugins_back_is_refused(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_it(request):
            request.getfixturevalue("sync_board")
        """
    )
    result = run(pytester, "--board", FAST)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Name the fixture among its arguments, or in a mark*usefixtures('board')*"])


def test_a_function_without_a_module_is_nobodys(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        names = {"pytest": pytest}
        exec("@pytest.fixture\\ndef made(): return 1", names)
        made = names["made"]

        def test_it(made):
            assert made == 1
        """
    )
    run(pytester).assert_outcomes(passed=1)
