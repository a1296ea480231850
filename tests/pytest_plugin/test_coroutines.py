from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bridge.portal import portal
from bridge.pytest_plugin.coroutines import without_await


def test_a_coroutine_function_runs_on_the_loop_of_the_boards() -> None:
    async def double(number: int) -> int:
        assert asyncio.get_running_loop() is portal().loop
        return 2 * number

    function = without_await(double)
    assert function(4) == 8 and function.__name__ == "double"


def test_an_asynchronous_generator_becomes_one_for_fixtures() -> None:
    events: list[str] = []

    async def fixture(name: str) -> AsyncIterator[str]:
        events.append("up")
        yield name
        events.append("down")

    generator = without_await(fixture)("board")
    assert next(generator) == "board" and events == ["up"]
    with pytest.raises(StopIteration):
        next(generator)
    assert events == ["up", "down"]


def test_a_fixture_that_yields_twice_is_a_mistake() -> None:
    async def fixture() -> AsyncIterator[int]:
        yield 1
        yield 2

    generator = without_await(fixture)()
    next(generator)
    with pytest.raises(RuntimeError, match="yields more than once"):
        next(generator)
