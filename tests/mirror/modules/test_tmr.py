from __future__ import annotations

import asyncio
import gc

import pytest

from bridge.board import Board
from bridge.errors import BoardReset, HandleClosed, LuaError, UsageError
from bridge.mirror.handle import State
from bridge.mirror.modules.tmr import Timer
from tests.mirror.modules.conftest import Rig


async def test_one_alarm(board: Board) -> None:
    timer = await board.tmr.create()
    assert await timer.state() is None
    seen: list[Timer] = []
    assert await timer.alarm(20, board.tmr.ALARM_SINGLE, seen.append) is True
    assert await timer.state() == (True, board.tmr.ALARM_SINGLE)
    await asyncio.sleep(1)
    assert seen == [timer] and await timer.state() is None


async def test_an_alarm_again_and_again(board: Board) -> None:
    timer = await board.tmr.create()
    seen: list[float] = []
    loop = asyncio.get_running_loop()
    await timer.register(100, board.tmr.ALARM_AUTO, lambda timer: seen.append(loop.time()))
    assert await timer.state() == (False, board.tmr.ALARM_AUTO)
    assert await timer.start() is True and await timer.start() is False
    await asyncio.sleep(1.05)
    assert len(seen) == 10 and 0.08 < seen[1] - seen[0] < 0.12
    await timer.interval(300)
    seen.clear()
    await asyncio.sleep(1)
    assert len(seen) == 3
    assert await timer.stop() is True and await timer.stop() is False
    await asyncio.sleep(1)
    assert len(seen) == 3
    await timer.unregister()
    assert await timer.state() is None and await timer.start() is False


async def test_an_alarm_that_is_started_again(board: Board) -> None:
    timer = await board.tmr.create()
    seen: list[object] = []
    await timer.alarm(10, board.tmr.ALARM_SEMI, seen.append)
    await asyncio.sleep(0.5)
    assert len(seen) == 1 and await timer.state() == (False, board.tmr.ALARM_SEMI)
    assert await timer.start() is True
    await asyncio.sleep(0.5)
    assert len(seen) == 2
    await timer.release()


async def test_wrong_alarms_leave_the_one_before(board: Board) -> None:
    timer = await board.tmr.create()
    seen: list[object] = []
    await timer.alarm(50, board.tmr.ALARM_AUTO, seen.append)
    for interval, mode, what in ((0, 1, "Range: 1-0x68D7A3"), (6_870_948, 1, "Range"), (10, 9, "Invalid mode")):
        with pytest.raises(LuaError, match=what):
            await timer.alarm(interval, mode, print)
    with pytest.raises(LuaError, match="Range"):
        await timer.interval(-1)
    with pytest.raises(UsageError, match="cannot be called"):
        await timer.alarm(10, 1, "print")  # type: ignore[arg-type]
    await asyncio.sleep(0.5)
    assert len(seen) >= 9
    await timer.release()


async def test_a_running_timer_stays_and_others_are_let_go(rig: Rig, board: Board) -> None:
    table = await board._current()
    seen: list[str] = []

    async def make() -> None:
        running, idle = await board.tmr.create(), await board.tmr.create()
        await running.alarm(2000, board.tmr.ALARM_SINGLE, lambda timer: seen.append(type(timer).__name__))
        await idle.register(2000, board.tmr.ALARM_SINGLE, lambda timer: seen.append("idle"))

    gc.collect()
    await asyncio.sleep(0.1)
    before = len(table)
    await make()
    gc.collect()
    await asyncio.sleep(0.1)
    assert len(table) == before + 1
    await asyncio.sleep(5)
    assert seen == ["Timer"]
    gc.collect()
    await asyncio.sleep(0.1)
    assert len(table) == before


async def test_a_timer_that_is_released_calls_no_more(board: Board) -> None:
    timer = await board.tmr.create()
    seen: list[object] = []
    await timer.alarm(10, board.tmr.ALARM_AUTO, seen.append)
    await asyncio.sleep(0.1)
    await timer.release()
    await timer.release()
    count = len(seen)
    await asyncio.sleep(0.5)
    assert len(seen) == count > 5
    assert timer._state is State.CLOSED and "closed" in repr(timer)
    with pytest.raises(HandleClosed):
        await timer.start()


@pytest.mark.parametrize("end", ["stop", "unregister", "release"])
async def test_an_end_that_was_cancelled_leaves_nothing_behind(board: Board, end: str) -> None:
    table = await board._current()
    before = len(table)
    timer = await board.tmr.create()
    await timer.alarm(60_000, board.tmr.ALARM_AUTO, lambda timer: None)
    ending = asyncio.create_task(getattr(timer, end)())
    await asyncio.sleep(0)  # the call is on its way
    ending.cancel()
    await asyncio.wait([ending])
    assert ending.cancelled()
    del timer, ending
    await asyncio.sleep(0)
    gc.collect()
    await asyncio.sleep(0.1)
    assert len(table) == before


async def test_a_thousand_alarms_are_one_function_on_the_board(board: Board) -> None:
    table = await board._current()
    timer = await board.tmr.create()
    await timer.alarm(1000, 0, print)
    before = len(table._callbacks)
    for _ in range(50):
        await timer.alarm(1000, 0, lambda timer: None)
    assert len(table._callbacks) == before
    await timer.release()


async def test_a_function_may_stop_its_timer(board: Board) -> None:
    timer = await board.tmr.create()
    seen: list[bool] = []

    async def once(timer: Timer) -> None:
        seen.append(await timer.stop())
        await timer.release()

    await timer.alarm(20, board.tmr.ALARM_AUTO, once)
    await asyncio.sleep(1)
    assert seen == [True] and timer._state is State.CLOSED


async def test_two_hundred_timers_leave_the_heap_where_it_was(board: Board) -> None:
    async def one() -> None:
        timer = await board.tmr.create()
        done = asyncio.Event()
        await timer.alarm(1, board.tmr.ALARM_SINGLE, lambda timer: done.set())
        await done.wait()
        await timer.release()

    left = []
    table = await board._current()
    for _ in range(3):
        for _ in range(70):
            await one()
        gc.collect()
        await asyncio.sleep(0.5)
        left.append(await board.eval("collectgarbage() and node.heap()"))
    # Lua's tables may grow between two looks; what 140 timers leak is 1 120 bytes at least.
    assert left[2] >= left[0] - 300 and len(table) == 0


async def test_a_flood_is_bounded_and_the_board_lives(rig: Rig, board: Board) -> None:
    timer = await board.tmr.create()
    gate = asyncio.Event()
    calls = 0

    async def slow(timer: Timer) -> None:
        nonlocal calls
        calls += 1
        await gate.wait()

    await timer.alarm(1, board.tmr.ALARM_AUTO, slow)
    await asyncio.sleep(3)
    assert await board.node.heap() > 10_000
    await timer.stop()
    gate.set()
    await asyncio.sleep(1)
    assert 200 < calls < 300  # one that runs and those that wait (WAITING_CALLS)
    assert any("wait for" in str(error) for error in rig.errors)
    rig.errors.clear()
    rig.faults.clear()
    await timer.release()


async def test_timers_of_an_earlier_boot_are_dead(board: Board) -> None:
    timer = await board.tmr.create()
    seen: list[object] = []
    await timer.alarm(3000, board.tmr.ALARM_AUTO, seen.append)
    await board.reset()
    with pytest.raises(BoardReset):
        await timer.stop()
    await asyncio.sleep(5)
    assert seen == []


async def test_time(rig: Rig, board: Board) -> None:
    tmr = board.tmr
    before = await tmr.now()
    await tmr.delay(250_000)
    assert 250_000 <= await tmr.now() - before < 1_000_000
    assert isinstance(await tmr.time(), int) and -(1 << 31) <= await tmr.ccount() < 1 << 31
    await tmr.wdclr()
    with pytest.raises(LuaError, match="wrong arg range"):
        await tmr.delay(0)
    with pytest.raises(UsageError, match="tmr.delay would keep the board busy"):
        await tmr.delay(6_000_000)


async def test_the_soft_watchdog(board: Board) -> None:
    await board.tmr.softwd(1)
    await board.tmr.softwd(-1)
    await asyncio.sleep(4)
    assert await board.node.heap() > 0
    gone = (await board._current()).loop.create_future()
    timer = await board.tmr.create()
    timer.when_gone(gone.set_result)
    await board.tmr.softwd(1)
    assert isinstance(await gone, BoardReset)
    assert await board.node.heap() > 0
