"""Timers of the board."""

import asyncio

import pytest


@pytest.mark.parametrize("milliseconds", [20, 50, 120, 200, 300, 400])
async def test_a_timer_calls_after_its_time(board, milliseconds):
    called = asyncio.Event()
    timer = await board.tmr.create()
    await timer.alarm(milliseconds, board.tmr.ALARM_SINGLE, lambda *_: called.set())
    await asyncio.wait_for(called.wait(), 10)
    await timer.release()


@pytest.mark.parametrize("times", [2, 3, 5])
async def test_a_timer_calls_again_and_again(board, times):
    calls = asyncio.Queue()
    timer = await board.tmr.create()
    await timer.alarm(60, board.tmr.ALARM_AUTO, lambda *_: calls.put_nowait(1))
    for _ in range(times):
        await asyncio.wait_for(calls.get(), 10)
    await timer.stop()
    await timer.release()


async def test_the_boards_clock_goes_on(board):
    before = await board.eval("tmr.now()")
    await asyncio.sleep(0.05)
    assert await board.eval("tmr.now()") != before
