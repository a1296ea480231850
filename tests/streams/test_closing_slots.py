"""What closed connections leave in the board's heap is bounded."""

from __future__ import annotations

import asyncio

from bridge.streams.slots import CLOSED_AT_ONCE, CLOSED_EVERY, TIME_WAIT, Slots
from bridge.virtual import clock


def test_some_may_close_at_once_and_the_others_one_after_the_other() -> None:
    async def scenario() -> None:
        slots, loop = Slots(), asyncio.get_running_loop()
        began, times = loop.time(), list[float]()
        for _ in range(60):
            await slots.may_close()
            times.append(round(loop.time() - began, 3))
        assert times[:CLOSED_AT_ONCE] == [0] * CLOSED_AT_ONCE
        assert times[CLOSED_AT_ONCE:] == [round(n * CLOSED_EVERY, 3) for n in range(1, 61 - CLOSED_AT_ONCE)]
        assert max(sum(at <= each < at + TIME_WAIT for each in times) for at in times) <= 40

    clock.run(scenario())


def test_after_a_pause_some_may_close_at_once_again() -> None:
    async def scenario() -> None:
        slots, loop = Slots(), asyncio.get_running_loop()
        for _ in range(3):
            began = loop.time()
            for _ in range(CLOSED_AT_ONCE):
                await slots.may_close()
            assert round(loop.time() - began, 3) == 0
            await asyncio.sleep(CLOSED_AT_ONCE * CLOSED_EVERY + 0.001)

    clock.run(scenario())


def test_who_gives_up_waiting_holds_up_nobody() -> None:
    async def scenario() -> None:
        slots = Slots()
        for _ in range(CLOSED_AT_ONCE):
            await slots.may_close()
        waiting = asyncio.ensure_future(slots.may_close())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        async with asyncio.timeout(2 * CLOSED_EVERY):
            await slots.may_close()

    clock.run(scenario())
