"""The stack's tickers."""

from __future__ import annotations

import asyncio

from bridge.virtual import clock
from bridge.virtual.lwip.timeouts import DNS_TICK, TCP_TICK, Ticker


def test_a_ticker_keeps_to_its_grid_and_stops_when_it_is_not_needed() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        seen: list[float] = []

        def tick() -> bool:
            seen.append(round(loop.time(), 6))
            return len(seen) % 3 != 0

        ticker = Ticker(loop.time, loop.call_later, 0.5, tick)
        await asyncio.sleep(0.7)
        ticker.need()
        ticker.need()
        await asyncio.sleep(3)
        assert seen == [1.0, 1.5, 2.0]
        ticker.need()
        await asyncio.sleep(0.5)
        assert seen[3:] == [4.0]

    clock.run(main())


def test_the_stacks_time_runs_slow_but_not_by_more_than_recorded() -> None:
    assert 1.0 < TCP_TICK / 0.125 < 1.25 and 1.0 < DNS_TICK < 1.2
