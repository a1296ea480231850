"""bridge/virtual/clock.py: time jumps to the next event, and nothing else moves it."""

from __future__ import annotations

import asyncio

import pytest

from bridge.virtual import clock


def test_a_week_passes_at_once() -> None:
    async def main() -> float:
        await asyncio.sleep(7 * 86400)
        return asyncio.get_running_loop().time()

    assert clock.run(main(), limit=8 * 86400) == 7 * 86400


def test_events_come_in_the_order_of_their_times() -> None:
    order: list[tuple[str, float]] = []

    async def wait(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        order.append((name, asyncio.get_running_loop().time()))

    async def main() -> None:
        await asyncio.gather(wait("late", 2.5), wait("early", 0.001), wait("middle", 2))

    clock.run(main())
    assert order == [("early", 0.001), ("middle", 2.0), ("late", 2.5)]


def test_a_timeout_ends_a_wait_at_its_own_time() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(7):
                await asyncio.sleep(8)
        return asyncio.get_running_loop().time()

    assert clock.run(main(), limit=8 * 86400) == 7


def test_waiting_for_nothing_is_an_error_and_does_not_hang() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="no event to jump to"):
        clock.run(main())


def test_the_clock_tells_what_it_is() -> None:
    async def main() -> bool:
        return clock.is_virtual(asyncio.get_running_loop())

    assert clock.run(main()) is True
    assert asyncio.run(main()) is False


def test_what_never_ends_is_stopped_at_the_limit() -> None:
    async def wait_beside_a_timer() -> None:
        loop = asyncio.get_running_loop()

        def tick() -> None:
            loop.call_later(1, tick)

        tick()
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        clock.run(wait_beside_a_timer(), limit=100)
