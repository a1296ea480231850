import asyncio

import pytest

from bridge.link.asides import Asides
from bridge.virtual import clock
from bridge.wire.values import Aside, Handle
from tests.virtual_link import virtual_link


def test_tables_and_objects_of_a_first_call_come_whole() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            results = await link.run_lua("return 1, {2, {3}}, 'four', print, nil")
            assert results[:3] == (1, [2, [3]], b"four") and isinstance(results[3], Handle) and results[4] is None
            # The board has let go of what it put aside, and encodes by itself from now on.
            assert await link.run_lua("return {5}") == ([5],)
            await link.close()

    clock.run(main())


def test_who_gives_up_leaves_nothing_on_the_board() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            asked = asyncio.ensure_future(link.run_lua("return function() end"))
            while not link._asides._dropping and not asked.done():
                await asyncio.sleep(0.001)
                if link._rooms:  # the room is on its way: the call is being fetched
                    asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
            await asyncio.sleep(2)
            (one,) = await link.run_lua("return function() end")
            (two,) = await link.run_lua("return function() end")
            # Numbers go up by one: what nobody got has had one and is let go.
            assert isinstance(one, Handle) and isinstance(two, Handle) and not link._asides._dropping
            with pytest.raises(Exception, match="stale handle"):
                await link.run_lua("return ...", Handle(one.number - 1))
            await link.close()

    clock.run(main())


def test_results_with_nothing_aside_are_left_alone() -> None:
    async def main() -> None:
        async def never(value: Aside) -> object:
            raise AssertionError(value)

        asides = Asides(never, lambda values: None)
        assert await asides.fetched((1, b"x", [2])) == (1, b"x", [2])

    asyncio.run(main())
