"""One board from test to test, on the virtual clock: what is found, and how soon."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bridge.board import Board
from bridge.pytest_plugin.heap_check import SLACK
from bridge.pytest_plugin.leased import LeasedBoard
from bridge.rack.lease import Lease
from bridge.rack.model import Place
from bridge.virtual import clock

Scenario = Callable[[LeasedBoard], Awaitable[None]]
URL = "virtual:?clock=virtual"


def on_a_leased_board(scenario: Scenario, slack: int = SLACK) -> None:
    async def main() -> None:
        lease = Lease(Place(name="shelf-1", port=URL), URL, 1, lambda: None)
        leased = LeasedBoard(lease, slack=slack)
        await leased.open()
        try:
            await scenario(leased)
        finally:
            await leased.close()
            await lease.release()

    clock.run(main())


async def kinds(leased: LeasedBoard, test: Callable[[Board], Awaitable[object]], chunk: str = "t1") -> list[str]:
    """What is found after a test."""
    await leased.begin(chunk)
    await test(leased.board)
    return [finding.kind for finding in (await leased.finish()).findings]


async def nothing(board: Board) -> None:
    pass


def test_a_clean_test_costs_little_time_of_the_board() -> None:
    async def scenario(leased: LeasedBoard) -> None:
        assert await kinds(leased, nothing) == []
        loop = asyncio.get_running_loop()
        began = loop.time()
        for _ in range(10):
            assert await kinds(leased, nothing) == []
        # Of the board's own time, on the virtual clock.
        assert (loop.time() - began) / 10 < 0.150

    on_a_leased_board(scenario)


def test_network_use_is_no_loss_of_heap_and_a_table_that_is_kept_is_one() -> None:
    async def connect(board: Board) -> None:
        socket = await board.net.createConnection()
        await socket.release()

    async def keep(board: Board) -> None:
        await board.exec("kept = {} for i = 1, 60 do kept[i] = {} end")

    async def scenario(leased: LeasedBoard) -> None:
        for _ in range(3):
            assert await kinds(leased, connect) == []
        assert await kinds(leased, keep) == ["heap"]
        assert await kinds(leased, connect) == [], "the board was restarted"
        assert await kinds(leased, nothing) == []

    on_a_leased_board(scenario)


def test_an_error_two_seconds_before_its_restart_is_found_at_once() -> None:
    async def err(board: Board) -> None:
        await board.exec("tmr.create():alarm(10, 0, function() local x x.y = 1 end)")
        await asyncio.sleep(0.1)

    async def scenario(leased: LeasedBoard) -> None:
        await leased.begin("t7")
        await err(leased.board)
        visit = await leased.finish()
        (finding,) = visit.findings
        assert (finding.kind, finding.chunks) == ("error", ("t7",))
        assert "attempt to index" in finding.text and "stack traceback" in visit.console
        assert await kinds(leased, nothing) == []

    on_a_leased_board(scenario)


def test_what_came_between_two_tests_is_of_neither() -> None:
    async def scenario(leased: LeasedBoard) -> None:
        await leased.begin("t1")
        await leased.board.exec("tmr.create():alarm(500, 0, function() error('later') end)")
        before = await leased.finish()
        await asyncio.sleep(1)
        after = await leased.begin("t2")
        assert [finding.chunks for finding in after.inherited] == [("t1",)]
        assert (await leased.finish()).findings == []
        assert before.findings == []

    on_a_leased_board(scenario, slack=1000)


@pytest.mark.parametrize(
    ("lua", "found"),
    [
        ("node.restart()", []),
        ("tmr.create():alarm(10, 0, function() while true do end end)", ["restart"]),
        ("print(debug.traceback('t1:1: no error'))", []),
    ],
)
def test_restarts(lua: str, found: list[str]) -> None:
    async def scenario(leased: LeasedBoard) -> None:
        async def test(board: Board) -> None:
            await board.exec(f"tmr.create():alarm(5, 0, function() {lua} end)")
            await asyncio.sleep(0.1)

        assert await kinds(leased, test) == found
        assert await kinds(leased, nothing) == []

    on_a_leased_board(scenario)
