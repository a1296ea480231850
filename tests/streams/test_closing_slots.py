"""What closed connections leave in the board's heap is bounded."""

from __future__ import annotations

import asyncio

from bridge.streams.slots import CLOSED_AT_ONCE, CLOSED_EVERY, MOST, TIME_WAIT, Slots
from bridge.virtual import clock


async def close(slots: Slots, over: asyncio.Event | None = None) -> None:
    async with slots.closing(over or asyncio.Event()):
        pass


def test_some_may_close_at_once_and_the_others_one_after_the_other() -> None:
    async def scenario() -> None:
        slots, loop = Slots(), asyncio.get_running_loop()
        began, times = loop.time(), list[float]()
        for _ in range(60):
            await close(slots)
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
                await close(slots)
            assert round(loop.time() - began, 3) == 0
            await asyncio.sleep(CLOSED_AT_ONCE * CLOSED_EVERY + 0.001)

    clock.run(scenario())


def test_who_gives_up_waiting_holds_up_nobody() -> None:
    async def scenario() -> None:
        slots = Slots()
        for _ in range(CLOSED_AT_ONCE):
            await close(slots)
        waiting = asyncio.ensure_future(close(slots))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        async with asyncio.timeout(2 * CLOSED_EVERY):
            await close(slots)

    clock.run(scenario())


def test_who_has_ended_by_itself_waits_for_nothing_and_counts_for_nothing() -> None:
    async def scenario() -> None:
        slots, loop, over = Slots(), asyncio.get_running_loop(), asyncio.Event()
        waiting = asyncio.Event()
        for _ in range(CLOSED_AT_ONCE):
            await close(slots)
        closing = asyncio.ensure_future(close(slots, waiting))
        over.set()
        for _ in range(100):
            await close(slots, over)
        async with slots.closing(finding := asyncio.Event()):
            finding.set()  # as a call that is answered "not connected" tells
        assert not closing.done()
        waiting.set()
        await closing
        began = loop.time()
        await close(slots)
        assert loop.time() - began <= 2 * CLOSED_EVERY

    clock.run(scenario())


def test_more_connections_than_five_leave_less_to_closed_ones() -> None:
    async def scenario() -> None:
        slots, loop = Slots(), asyncio.get_running_loop()
        standing = [slots.take() for _ in range(2 * MOST)]
        began = loop.time()
        for _ in range(60):
            await close(slots)
        slow = loop.time() - began
        for each in standing:
            each.release()
        await asyncio.sleep(10 * TIME_WAIT)
        began = loop.time()
        for _ in range(60):
            await close(slots)
        assert slow > 1.5 * (loop.time() - began)

    clock.run(scenario())
