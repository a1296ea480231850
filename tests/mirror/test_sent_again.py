"""Lua sends an object again while the host lets it go: what the host has then is good, and nothing stays behind."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Awaitable, Callable

import pytest

from bridge import agent
from bridge.board import Board
from bridge.errors import LuaError
from bridge.link import Link
from bridge.mirror.callback import WAITING_CALLS
from bridge.opening import open_board
from bridge.ports.base import Port
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort

LUAS = ("5.1", "5.3")
#: Numbers of the objects that the agent holds, as the board's chunks see them; made by `watched`.
COUNT = "local n = 0 for _ in pairs(held()) do n = n + 1 end return n"


async def start(port: Port) -> Link:
    return await agent.start(port, rng=random.Random(7))


def on_a_board(scenario: Callable[[Board], Awaitable[None]], lua: str, **options: object) -> None:
    """Play it on a virtual board; afterwards the agent must hold as many objects as before, and nothing be amiss."""

    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual", lua=lua, **options)) as virtual:  # type: ignore[arg-type]
            await virtual.answered()
            port = VirtualPort(virtual)
            async with open_board(port, start=start, speeds=()) as board:
                faults: list[str] = []
                board.on("fault", faults.append)
                await board.exec("kept = tmr.create() local f = ...", print)  # loads the rooms that are needed
                await watched(board)
                before = await board.exec(COUNT)
                await scenario(board)
                gc.collect()
                await asyncio.sleep(1)
                assert await board.exec(COUNT) == before
                assert faults == []
            await port.close()

    clock.run(main())


async def watched(board: Board) -> None:
    """Give the board's chunks a view of the agent's table of objects."""
    link = board._link
    assert link is not None
    field = agent.agent_source._fields()["objects"]
    await link.line.once(f"local a = ... held = function() return a[{field}] end".encode(), 10.0)


async def in_flight(board: Board, expression: str) -> asyncio.Task[object]:
    """A call whose question has left, and whose answer is still to come."""
    asking = asyncio.create_task(board.eval(expression))
    await asyncio.sleep(0.001)
    assert not asking.done()
    return asking


@pytest.mark.parametrize("lua", LUAS)
def test_an_object_that_is_on_its_way_when_it_is_let_go(lua: str) -> None:
    async def scenario(board: Board) -> None:
        for _ in range(3):
            first = await board.eval("kept")
            asking = await in_flight(board, "kept")
            await first.release()
            again = await asking
            assert again.number == first.number and await again["interval"](1000) is None
            same = await board.eval("kept")
            assert same is again
            await again.release()
            other = await board.eval("kept")
            assert other is not again and await other.unregister() is None
            del other, same, again, asking

    on_a_board(scenario, lua)


@pytest.mark.parametrize("lua", LUAS)
def test_an_object_that_python_collects_as_it_comes_again(lua: str) -> None:
    async def scenario(board: Board) -> None:
        first = await board.eval("kept")
        asking = await in_flight(board, "kept")
        await asyncio.sleep(1)
        assert asking.done()  # the answer is here; who waits for it has not looked yet
        del first
        again = await asking
        await asyncio.sleep(1)
        assert await again.unregister() is None
        table = board._table
        assert table is not None
        # The finaliser has run, the loop has not yet done what it asked for.
        del again, asking
        again = table.inward((await table.caller.call("lua_name.get"))[0])
        await asyncio.sleep(1)
        assert await again.unregister() is None

    async def with_name(board: Board) -> None:
        await board.exec("lua_name = {get = function() return kept end}")
        await scenario(board)

    on_a_board(with_name, lua)


@pytest.mark.parametrize("lua", LUAS)
def test_a_call_given_up_takes_no_object_from_who_has_it(lua: str) -> None:
    async def scenario(board: Board) -> None:
        timer = await board.eval("kept")
        asking = await in_flight(board, "kept")
        asking.cancel()
        await asyncio.sleep(1)
        assert await timer.unregister() is None

    on_a_board(scenario, lua)


@pytest.mark.parametrize("lua", LUAS)
def test_an_object_in_every_call_of_a_function(lua: str) -> None:
    """Also where Python does not keep up and drops them."""

    async def scenario(board: Board) -> None:
        seen: list[object] = []
        go_on = asyncio.Event()

        async def slow(timer: object) -> None:
            seen.append(timer)
            await go_on.wait()

        await board.exec("kept:alarm(5, 1, ...)", slow)
        await asyncio.sleep(0.01 * WAITING_CALLS + 1)
        await board.exec("kept:unregister()")
        go_on.set()
        await asyncio.sleep(1)
        assert len(seen) > WAITING_CALLS and len(set(map(id, seen))) == 1
        seen.clear()

    on_a_board(scenario, lua)


@pytest.mark.parametrize("lua", LUAS)
def test_a_message_that_could_not_be_sent_gives_nothing_away(lua: str) -> None:
    async def scenario(board: Board) -> None:
        timer = await board.eval("kept")
        for _ in range(5):
            for deep in ("kept", "tmr.create()"):
                with pytest.raises(LuaError, match="too deep"):
                    await board.eval(f"{{{deep}, {{{{{{{{{{{{{{{{{{1}}}}}}}}}}}}}}}}}}}}")
        await timer.release()
        again = await board.eval("kept")
        assert again.number != timer.number, "the one before has been let go"

    on_a_board(scenario, lua)


@pytest.mark.parametrize("lua", LUAS)
def test_of_several_results_one_that_cannot_come_keeps_no_other(lua: str) -> None:
    """Before the board has the room that encodes them they are put aside, and fetched one by one."""

    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual", lua=lua)) as virtual:
            await virtual.answered()
            port = VirtualPort(virtual)
            async with open_board(port, start=start, speeds=()) as board:
                with pytest.raises(LuaError, match="too deep"):
                    await board.eval("tmr.create(), {{{{{{{{{1}}}}}}}}}, tmr.create()")
                await asyncio.sleep(1)
                await watched(board)
                assert await board.exec(COUNT) == 0
            await port.close()

    clock.run(main())
