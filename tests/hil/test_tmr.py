"""Timers of the board, by `board.tmr`."""

from __future__ import annotations

import asyncio

from bridge.mirror.modules.tmr import Timer
from tests.hil.conftest import Board


async def test_an_alarm_calls_once_with_its_timer(board: Board) -> None:
    timer = await board.tmr.create()
    fired: asyncio.Future[Timer] = asyncio.get_running_loop().create_future()
    assert await timer.alarm(50, board.tmr.ALARM_SINGLE, fired.set_result) is True
    assert await asyncio.wait_for(fired, 10) is timer
    assert await timer.state() is None
    await timer.release()


async def test_an_alarm_goes_on_until_it_is_stopped(board: Board) -> None:
    timer = await board.tmr.create()
    ticks = asyncio.Semaphore(0)
    await timer.alarm(20, board.tmr.ALARM_AUTO, lambda timer: ticks.release())
    async with asyncio.timeout(20):
        for _ in range(20):
            await ticks.acquire()
    assert await timer.state() == (True, board.tmr.ALARM_AUTO)
    assert await timer.stop() is True
    assert await timer.state() == (False, board.tmr.ALARM_AUTO)
    await timer.release()


async def test_time_goes_on(board: Board) -> None:
    before = await board.tmr.now()
    await board.tmr.delay(20_000)
    assert (await board.tmr.now() - before) % (1 << 31) >= 20_000
    assert await board.tmr.time() >= 0
