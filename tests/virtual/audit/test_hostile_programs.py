"""Programs that go wrong in every way: the board answers or resets, and always comes back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bridge.virtual.clock import run
from tests.virtual.bench import Bench


def play(lua: str, *lines: str) -> tuple[list[str], int]:
    """What the lines answer (first line of each), and how often the board reset."""

    async def main() -> tuple[list[str], int]:
        crashes: list[dict[str, Any]] = []  # of the virtual board itself: a traceback for its user
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: crashes.append(context))
        bench = await Bench.boot(lua=lua)
        said = [(await bench.answer(line, idle=0.6)).partition("\r\n")[0] for line in lines]
        await bench.read(4.0)
        assert await bench.answer("=1+1") == "2"
        bench.close()
        assert crashes == []
        return said, len(bench.resets)

    return run(main())


BOTH = pytest.mark.parametrize("lua", ["5.1", "5.3"])


@BOTH
def test_endless_recursion_uses_up_the_heap(lua: str) -> None:
    said, resets = play(
        lua,
        "local function r(n) return 1+r(n) end print(pcall(r,1))",
        "local function r(n) return n+r(n+1) end r(1)",
        "function d(n) return 1+coroutine.wrap(function() return d(n+1) end)() end d(1)",
    )
    assert said[:2] == ["false\tnot enough memory", "Lua error: \tnot enough memory"]
    assert resets == 0


@BOTH
@pytest.mark.parametrize(
    "line",
    [
        "while true do end",
        "while true do local t = {} end",
        "local t = {} while true do t[1] = {} end",
        "while true do pcall(error) end",
        "while true do pcall(function() while true do end end) end",
        "coroutine.wrap(function() while true do end end)()",
        "local c=coroutine.create(function() while true do pcall(coroutine.yield) end end) "
        "while true do coroutine.resume(c) end",
        "local function f() return f() end f()",
        "print(setmetatable({},{__tostring=function() while true do end end}))",
    ],
)
def test_endless_loops_end_in_the_watchdog(lua: str, line: str) -> None:
    assert play(lua, line)[1] == 1


@BOTH
def test_a_finalizer_that_raises(lua: str) -> None:
    if lua == "5.1":
        line = "p=newproxy(true) getmetatable(p).__gc=function() error('gc') end p=nil collectgarbage()"
        assert play(lua, line) == (["Lua error: \tstdin:1: gc"], 0)
    else:
        line = "setmetatable({},{__gc=function() error('gc') end}) collectgarbage()"
        assert play(lua, line) == (["Lua error: \terror in __gc metamethod (stdin:1: gc)"], 0)


@BOTH
def test_more_than_a_board_holds(lua: str) -> None:
    said, resets = play(
        lua, "local t={} for i=1,1e7 do t[i]=i end", "for i=1,1000 do tmr.create():alarm(1e5,1,print) end"
    )
    assert said == ["Lua error: \tnot enough memory"] * 2
    assert resets == 0


@BOTH
@pytest.mark.parametrize(
    "made",
    ["tmr.create()", "('%d'):format(i):rep(20)", "coroutine.create(function() end)", "{i}"],
)
def test_whatever_fills_the_heap_leaves_a_board_that_answers(lua: str, made: str) -> None:
    assert play(lua, f"local t={{}} for i=1,1e4 do t[i]={made} end") == (["Lua error: \tnot enough memory"], 0)


@BOTH
def test_functions_that_fill_the_heap_leave_a_board_that_answers(lua: str) -> None:
    said = play(lua, "local t={} for i=1,1e4 do t[i]=assert(loadstring('return '..i)) end")
    # The parser is protected: where it is refused the message is assert's.
    assert said in [([f"Lua error: \t{where}not enough memory"], 0) for where in ("stdin:1: ", "")]


def test_a_program_that_asks_for_memory_without_end_meets_the_watchdog() -> None:
    """The parser is protected, so the loop goes on; each try costs a collection, in which the time runs out."""
    said, resets = play("5.1", "local t={} for i=1,1e4 do t[i]=loadstring('return '..i) end")
    assert said == [""] and resets == 1
