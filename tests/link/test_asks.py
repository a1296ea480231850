"""Python functions whose results Lua waits for, on the real agent."""

from __future__ import annotations

import asyncio

import pytest

from bridge.errors import BoardReset, LuaError
from bridge.virtual import clock
from tests.virtual_link import virtual_link

BUILDS = pytest.mark.parametrize("lua", ["5.1", "5.3"])


@BUILDS
def test_results_of_functions_and_coroutine_functions(lua: str) -> None:
    async def twice(value: int) -> int:
        await asyncio.sleep(0.2)
        return value * 2

    def several(*values: object) -> tuple[object, ...]:
        return 1, b"two", None, [3, {b"k": True}]

    async def main() -> None:
        async with virtual_link(lua=lua) as link:
            run = link.run_lua
            assert await run("local f = ... return f(21)", twice) == (42,)
            assert await run("local f = ... return f()", several) == (1, b"two", None, [3, {b"k": True}])
            assert await run("local f = ... return select('#', f())", lambda: None) == (0,)
            assert await run("local f = ... local s = 0 for i = 1, 20 do s = s + f(i) end return s", twice) == (420,)
            assert await run("local t = ... return t.f(4) + 1", {"f": twice}) == (9,)
            await run("function LATER(f, n) return f(n) end")
            assert await link.call("LATER", twice, 5) == (10,)
            # Not in its own coroutine, or after the call: Lua does not wait.
            assert await run(
                "local f = ... local c = coroutine.wrap(function() return 'nothing', f(1) end) return c()", several
            ) == (b"nothing",)
            await run("local f = ... T = tmr.create() T:alarm(10, 0, function() RESULT = {f(1)} end)", several)
            await asyncio.sleep(1)
            assert await run("return #RESULT") == (0,)

    clock.run(main())


@BUILDS
def test_errors_are_raised_in_lua(lua: str) -> None:
    def bad(*values: object) -> None:
        raise ValueError("no good")

    async def main() -> None:
        async with virtual_link(lua=lua) as link:
            with pytest.raises(LuaError, match="ValueError: no good"):
                await link.run_lua("local f = ... f()", bad)
            with pytest.raises(LuaError, match="ValueRefused"):
                await link.run_lua("local f = ... f()", lambda: b"x" * 3000)
            with pytest.raises(LuaError, match="attempt to yield from outside a coroutine"):
                await link.run_lua("local f = ... coroutine.yield(f)", bad)
            if lua == "5.3":
                assert await link.run_lua("local f = ... return pcall(f)", bad) == (False, b"ValueError: no good")
            assert await link.run_lua("return 1 + 1") == (2,)

    clock.run(main())


def test_where_c_stands_in_between_51_does_not_wait() -> None:
    seen: list[object] = []

    def note(*values: object) -> int:
        seen.append(values)
        return 5

    async def main() -> None:
        async with virtual_link(lua="5.1") as link:
            assert await link.run_lua("local f = ... return pcall(f, 1)", note) == (True,)
            assert await link.run_lua("local f = ... return (('x'):gsub('x', f))", note) == (b"x",)
            await asyncio.sleep(1)
            assert seen == [(1,), (b"x",)]

    clock.run(main())


@BUILDS
@pytest.mark.parametrize(
    "source",
    [
        "return setmetatable({}, {__index = function() return f() end}).x",
        "return setmetatable({}, {__index = f}).x",
        "return setmetatable({}, {__add = f}) + 1",
        "for n in f do return n end",
        "local function g() return f() end for n in g do return n end",
    ],
)
def test_in_metamethods_and_iterators_51_cannot_wait_and_says_what_to_do(lua: str, source: str) -> None:
    """They cannot be told from Lua's own calls."""

    async def main() -> None:
        async with virtual_link(lua=lua) as link:
            if lua == "5.3":
                assert await link.run_lua(f"local f = ... {source}", lambda *values: 5) == (5,)
                return
            for _ in range(2):
                with pytest.raises(LuaError) as caught:
                    await link.run_lua(f"local f = ... {source}", lambda *values: 5)
            assert caught.value.text.endswith("attempt to yield across metamethod/C-call boundary")
            assert "call the function before, and use its result there." in str(caught.value)
            assert await link.run_lua("local f = ... local x = f() for n in pairs({x}) do return x end", lambda: 5) == (
                5,
            )

    clock.run(main())


@BUILDS
def test_a_function_may_call_the_board_and_be_called_from_there(lua: str) -> None:
    async def main() -> None:
        async with virtual_link(lua=lua) as link:

            async def down(n: int) -> int:
                if n == 0:
                    return 100
                (found,) = await link.run_lua("local f, n = ... return f(n - 1) + 1", down, n)
                return int(found)

            assert await link.run_lua("local f = ... return f(4)", down) == (104,)
            many = [link.run_lua("local f, n = ... return f(n)", down, n % 3) for n in range(9)]
            assert await asyncio.gather(*many) == [(100 + n % 3,) for n in range(9)]

    clock.run(main())


def test_a_call_given_up_cancels_the_function_and_leaves_the_board_sound() -> None:
    cancelled: list[str] = []

    async def for_ever() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelled.append("yes")
            raise

    async def main() -> None:
        async with virtual_link() as link:
            left = []
            for _ in range(6):
                asking = asyncio.ensure_future(
                    link.run_lua("local f = ... local x = ('x'):rep(500) .. tmr.now() f() return x", for_ever)
                )
                await asyncio.sleep(0.6)
                asking.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asking
                with pytest.raises(TimeoutError):
                    await link.run_lua("local f = ... f()", for_ever, timeout=0.3)
                await asyncio.sleep(0.3)
                left.append((await link.run_lua("collectgarbage() collectgarbage() return node.heap()"))[0])
            assert cancelled == ["yes"] * 12 and left[-1] >= left[1] - 100
            # Given up before Lua asks: the answer is an error at once.
            asking = asyncio.ensure_future(link.run_lua("local f = ... tmr.delay(300000) f() AFTER = 1", for_ever))
            await asyncio.sleep(0.1)
            asking.cancel()
            await asyncio.sleep(1)
            assert len(cancelled) == 12 and await link.run_lua("return AFTER") == (None,)

    clock.run(main())


def test_a_board_that_restarts_meanwhile_ends_the_function() -> None:
    async def main() -> None:
        ended = asyncio.Event()

        async def for_ever() -> None:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                ended.set()

        async with virtual_link() as link:
            asking = asyncio.ensure_future(link.run_lua("local f = ... f()", for_ever, timeout=None))
            await asyncio.sleep(0.5)
            link.post("node.restart")
            with pytest.raises(BoardReset):
                await asking
            await ended.wait()

    clock.run(main())
