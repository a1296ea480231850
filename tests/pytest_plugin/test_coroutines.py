from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bridge.portal import portal
from bridge.pytest_plugin.coroutines import without_await
from tests.pytest_plugin.boards import FAST, run


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


#: What plugins with loops of their own do: items of their own kind, which run a coroutine on such a loop.
_ANOTHER_LOOP = """
import asyncio
import inspect
import pytest

class OwnItem(pytest.Function):
    def runtest(self):
        function = self.obj
        assert inspect.iscoroutinefunction(function)
        self.obj = lambda **given: asyncio.run(function(**given))
        super().runtest()

@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem(collector, name, obj):
    found = yield
    return [
        OwnItem.from_parent(collector, name=each.name, callspec=getattr(each, "callspec", None), callobj=each.obj,
                            fixtureinfo=each._fixtureinfo, keywords=each.keywords, originalname=each.originalname)
        if isinstance(each, pytest.Function) and "own" in each.keywords else each
        for each in found or []
    ] if isinstance(found, list) else found

def pytest_configure(config):
    config.addinivalue_line("markers", "own: runs on a loop of its own")
"""


@pytest.mark.parametrize("mark", ["own", "anyio", "asyncio"])
def test_boards_have_their_loop_whatever_other_plugins_do(pytester: pytest.Pytester, mark: str) -> None:
    options = []
    if mark == "asyncio":
        pytest.importorskip("pytest_asyncio")
        options = ["-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function"]
    elif mark == "own":
        pytester.makeconftest(_ANOTHER_LOOP)
    pytester.makepyfile(
        f"""
        import asyncio
        import pytest
        from bridge.portal import portal

        pytestmark = pytest.mark.{mark}

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.fixture
        async def its_loop(board):
            yield asyncio.get_running_loop()

        @pytest.mark.parametrize("number", [1, 2])
        async def test_with_a_board(board, its_loop, number):
            assert await board.eval("...", number) == number
            await asyncio.sleep(0.01)
            assert asyncio.get_running_loop() is its_loop is portal().loop

        async def test_wrong(board):
            assert await board.eval("1") == 2

        async def test_without():
            assert asyncio.get_running_loop() is not portal().loop
        """
    )
    result = run(pytester, "--board", FAST, *options)
    result.assert_outcomes(passed=3, failed=1)


def test_a_fixture_of_boards_and_others_runs_where_its_test_does(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import asyncio
        import pytest

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.fixture
        async def its_loop():
            return asyncio.get_running_loop()

        async def test_with_a_board(board, its_loop):
            assert asyncio.get_running_loop() is its_loop

        @pytest.mark.anyio
        async def test_without(its_loop):
            assert asyncio.get_running_loop() is its_loop

        class TestOfAClass:
            @pytest.fixture
            async def value(self, board):
                self.value = await board.eval("3")

            async def test_has_what_its_fixture_noted(self, value):
                assert self.value == 3
        """
    )
    run(pytester, "--board", FAST).assert_outcomes(passed=3)
