"""What closed connections leave in the board's heap is bounded."""

from __future__ import annotations

import asyncio

from bridge.streams.slots import ENOUGH_HEAP, FEW_CLOSED, MOST_CLOSED, TIME_WAIT, Slots
from bridge.virtual import clock


def test_few_closings_ask_nothing_and_more_wait_for_heap() -> None:
    asked: list[float] = []

    async def scenario() -> None:
        slots, loop = Slots(), asyncio.get_running_loop()
        began = loop.time()

        async def heap() -> int:
            asked.append(loop.time() - began)
            return ENOUGH_HEAP if len(asked) <= 2 else ENOUGH_HEAP - 1

        for _ in range(FEW_CLOSED):
            await slots.may_close(heap)
        assert asked == []
        await slots.may_close(heap)
        await slots.may_close(heap)
        assert loop.time() == began and len(asked) == 2
        await asyncio.gather(*(slots.may_close(heap) for _ in range(2)))
        assert round(loop.time() - began, 3) == TIME_WAIT

    clock.run(scenario())


def test_however_much_is_free_only_so_many_closed_ones_are_left_behind() -> None:
    """What is free at a quiet moment, or is garbage, is not there when five connections send."""

    async def scenario() -> None:
        slots, loop = Slots(), asyncio.get_running_loop()
        began = loop.time()

        async def plenty() -> int:
            return 40_000

        for _ in range(MOST_CLOSED):
            await slots.may_close(plenty)
        assert loop.time() == began
        await slots.may_close(plenty)
        assert round(loop.time() - began, 3) == TIME_WAIT

    clock.run(scenario())


def test_who_gives_up_waiting_holds_up_nobody() -> None:
    async def scenario() -> None:
        slots = Slots()

        async def full() -> int:
            return 0

        for _ in range(FEW_CLOSED):
            await slots.may_close(full)
        waiting = asyncio.ensure_future(slots.may_close(full))
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        async with asyncio.timeout(TIME_WAIT):
            await slots.may_close(full)

    clock.run(scenario())
