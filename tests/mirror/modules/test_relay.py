from __future__ import annotations

import asyncio

from bridge.mirror.modules.relay import Relay, Relays
from tests.mirror.caller import make_table


def test_the_function_of_the_moment_is_called() -> None:
    relay = Relay("a place", lambda *values: values[::-1])
    assert relay(1, 2) is None and repr(relay) == "the function for a place"
    relay.function = lambda *values: values
    assert relay(1, 2) == (2, 1)
    relay.function = None
    assert relay(1) is None


def test_each_boot_has_its_own() -> None:
    async def main() -> None:
        (_, one, _), (_, two, _) = make_table(), make_table()
        relays = Relays()
        assert relays.at(one, 1, "x") is relays.at(one, 1, "x")
        assert len({id(relays.at(table, place, "x")) for table in (one, two) for place in (1, 2)}) == 4

    asyncio.run(main())


def test_errors_are_reported_by_the_place() -> None:
    async def main() -> None:
        _, table, errors = make_table()
        relay = Relays().at(table, 1, "gpio.trig of D1")
        callback = table.outward(relay)

        async def fail() -> None:
            raise ValueError("mine")

        relay.function = fail
        callback()
        await asyncio.sleep(0.01)
        [(error, where)] = errors.seen
        assert str(error) == "mine" and "the function for gpio.trig of D1" in where

    asyncio.run(main())
