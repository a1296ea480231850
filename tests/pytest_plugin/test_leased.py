"""One board from test to test, on the virtual clock: what is found, and how soon."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bridge.board import Board
from bridge.pytest_plugin.findings import Visit
from bridge.pytest_plugin.heap_check import SLACK
from bridge.pytest_plugin.leased import LeasedBoard
from bridge.rack.lease import Lease
from bridge.rack.model import Place
from bridge.rack.rack import Rack
from bridge.virtual import clock
from tests.board_process import announced, board_process

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


#: Errs as soon as an agent is put on the board again.
AT_THE_NEXT_OPENING = """
local away = false
tmr.create():alarm(10, 1, function(timer)
  local heap = node.heap()
  if heap > 42000 then away = true elseif away and heap < 40000 then timer:unregister() error('late') end
end)
"""


def test_an_error_that_comes_as_the_next_one_opens_the_board_is_inherited(tmp_path: Path) -> None:
    async def lease(rack: Rack) -> LeasedBoard:
        return LeasedBoard(await rack.claim(), slack=1000)

    async def give(leased: LeasedBoard) -> Visit | None:
        try:
            return await leased.close()
        finally:
            await leased.lease.release()

    async def scenario(url: str) -> None:
        rack = Rack.of_ports([url], folder=tmp_path)
        leased = await lease(rack)
        assert await kinds(leased, lambda board: board.exec(AT_THE_NEXT_OPENING), "t1w5") == []
        assert await give(leased) is None
        leased = await lease(rack)
        visit = await leased.begin("t1w6")
        assert [(each.kind, each.chunks) for each in visit.inherited] == [("error", ("t1w5",))]
        assert (await leased.finish()).findings == []
        # Nobody begins a test on it: it is given back with what was heard.
        assert await kinds(leased, lambda board: board.exec(AT_THE_NEXT_OPENING), "t2w6") == []
        assert await give(leased) is None
        leased = await lease(rack)
        await leased.open()
        given = await give(leased)
        assert given is not None and [each.chunks for each in given.inherited] == [("t2w6",)]

    with board_process("--rfc2217", "127.0.0.1:0") as process:
        asyncio.run(scenario(announced(process)[1]))


def test_an_error_that_comes_as_the_board_is_given_back_is_in_its_last_words(tmp_path: Path) -> None:
    at_the_end = """
    local agent = node.heap()
    tmr.create():alarm(1, 1, function(timer)
      if node.heap() > agent + 4000 then timer:unregister() error('last') end
    end)
    """

    async def scenario(url: str) -> None:
        lease = await Rack.of_ports([url], folder=tmp_path).claim()
        # At the console's speed: what a board says as it goes back to that is garbage for the host.
        lease.open_board = functools.partial(lease.open_board, speeds=())
        leased = LeasedBoard(lease, slack=1000)
        assert await kinds(leased, lambda board: board.exec(at_the_end), "t1") == []
        given = await leased.close()
        await leased.lease.release()
        assert given is not None and [(each.kind, each.chunks) for each in given.inherited] == [("error", ("t1",))]
        assert "last" in given.console

    with board_process("--rfc2217", "127.0.0.1:0") as process:
        asyncio.run(scenario(announced(process)[1]))


def test_what_is_written_down_of_its_place_has_not_the_key_of_the_tests_either() -> None:
    lease = Lease(Place(name="shelf-1", port=URL), URL, 1, lambda: None)
    LeasedBoard(lease, secrets=["correct horse"])
    assert lease.discreet("by correct horse, pwd='hunter22'") == "by *************, pwd='********'"
