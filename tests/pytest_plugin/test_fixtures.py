"""The fixtures, in whole runs."""

from __future__ import annotations

import pytest

from tests.pytest_plugin.boards import FAST, run
from tests.pytest_plugin.test_credentials import KEY


def test_all_of_them(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODEMCU_WIFI_SSID", "workshop")
    monkeypatch.setenv("NODEMCU_WIFI_PASSWORD", KEY)
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        async def forty(board):
            yield await board.eval("40")
            assert await board.eval("1+1") == 2

        async def test_the_same_board(board, forty):
            await board.exec("mine = 7")
            assert forty == 40

        def test_without_await(sync_board, host_address, board_address):
            assert sync_board.eval("mine") == 7
            assert host_address.startswith("127.") and board_address != host_address

        async def test_two(boards):
            one, other = await boards(2)
            await one.exec("mine = 1")
            assert (await one.eval("mine"), await other.eval("mine")) == (1, None)

        async def test_three_of_two(boards):
            await boards(3)

        async def test_both(board, boards):
            pass

        async def test_the_rack(rack):
            async with await rack.claim() as lease, lease.open_board() as board:
                assert await board.eval("1") == 1

        async def test_the_network(board, wifi):
            assert wifi.ssid == "workshop"
            await board.exec("local s = { ssid = ..., pwd = select(2, ...) }", wifi.ssid, wifi.password)
            assert False, repr(wifi)
        """
    )
    result = run(pytester, "--board", FAST, "--board", FAST, "--showlocals", "-rs")
    result.assert_outcomes(passed=4, skipped=1, failed=1, errors=1)
    result.stdout.fnmatch_lines(["*3 boards*are wanted, and 2 places of the rack fit*"])
    result.stdout.fnmatch_lines(["*`board` or for `boards`, not for both*"])
    said = result.stdout.str() + result.stderr.str()
    assert "wire of board-1" in said and KEY not in said and KEY[:6] not in said


def test_a_run_without_boards_has_nothing_of_it(pytester: pytest.Pytester) -> None:
    """What a run that uses no board pays for the plugin: a few modules that do nothing."""
    pytester.makepyfile(
        """
        import sys
        import pytest

        @pytest.fixture
        def board():
            return "chess"

        def test_chess(board):
            assert board == "chess"
            heavy = {"bridge.board", "bridge.errors", "bridge.rack", "pydantic", "yaml", "lupa", "cryptography"}
            assert not heavy & sys.modules.keys()
            ours = {name for name in sys.modules if name.startswith("bridge")}
            assert len(ours) < 11, ours
        """
    )
    result = run(pytester, "-p", "no:anyio")
    result.assert_outcomes(passed=1)
