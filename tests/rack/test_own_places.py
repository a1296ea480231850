from __future__ import annotations

import asyncio

import pytest

from bridge.errors import PlaceBusy
from bridge.rack.model import Place
from bridge.rack.own_places import OwnPlaces

PLACES = [Place(name="a", port="virtual:"), Place(name="b", port="virtual:")]


def test_who_waits_gets_it_when_it_is_given_back_in_turn() -> None:
    async def scenario() -> None:
        own = OwnPlaces()
        one, two = await own.claim(2, PLACES, None)
        assert own.free(PLACES) == 0
        order: list[str] = []

        async def wait(name: str, count: int) -> None:
            leases = await own.claim(count, PLACES, 10)
            order.append(name)
            for lease in leases:
                await lease.release()

        first, second = asyncio.create_task(wait("both", 2)), asyncio.create_task(wait("one", 1))
        await asyncio.sleep(0)
        assert one.is_wanted()
        await one.release()
        await asyncio.sleep(0.01)
        assert order == [], "who wants both came first"
        await two.release()
        await asyncio.gather(first, second)
        assert order == ["both", "one"]
        assert (await own.claim(1, PLACES, 0))[0].generation == 4

    asyncio.run(scenario())


def test_the_time_is_over() -> None:
    async def scenario() -> None:
        own = OwnPlaces()
        await own.claim(1, PLACES[:1], 0)
        with pytest.raises(PlaceBusy, match="within 0 s: this process holds a"):
            await own.claim(1, PLACES[:1], 0)

    asyncio.run(scenario())
