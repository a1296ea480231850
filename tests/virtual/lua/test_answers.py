"""Builtins answer Lua, with arguments checked and errors raised as the chip raises them."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from bridge.virtual.clock import run
from bridge.virtual.lua.api import Args, ArgumentFault, Call, LuaFault, Module
from tests.virtual.bench import Bench


def echo(arguments: Args) -> Any:
    return tuple(arguments)


def fail(arguments: Args) -> None:
    raise LuaFault("it failed")


def fail_bare(arguments: Args) -> None:
    raise LuaFault("it failed", position=False)


def refuse(arguments: Args) -> None:
    raise ArgumentFault(2, "not like this")


def twice(arguments: Args) -> Generator[Call, tuple[Any, ...], Any]:
    function = arguments.check_function(1)
    first = yield Call(function, (1,))
    second = yield Call(function)
    return (*first, *second)


MODULE = Module(
    "uart",
    {
        "echo": echo,
        "nothing": lambda arguments: None,
        "fail": fail,
        "fail_bare": fail_bare,
        "refuse": refuse,
        "twice": twice,
        "number": lambda arguments: arguments.check_integer(1),
        "text": lambda arguments: arguments.check_string(1),
    },
)


def answers(lua: str, *lines: str) -> list[str]:
    async def main() -> list[str]:
        bench = await Bench.boot(lua=lua, modules="uart,node")
        bench.firmware.system.lua.add_module(MODULE)
        said = [await bench.answer(line) for line in lines]
        bench.close()
        return said

    return run(main())


BOTTOM = {"5.1": "\r\n\t[C]: ?\r\n\t[C]: ?", "5.3": "\r\n\t[C]: in ?\r\n\t[C]: in ?"}


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_results_arrive_in_number_and_kind(lua: str) -> None:
    lines = ["=uart.echo()", "=uart.echo(nil)", "=uart.echo(1,nil,'a\\0b',true,nil,2.5)", "=select('#',uart.nothing())"]
    said = answers(lua, *lines)
    assert said[0] == "=uart.echo()\r\n".removeprefix("=uart.echo()\r\n")
    assert said[1] == "nil"
    assert said[2].replace("\0b", "") == "1\tnil\ta\ttrue\tnil\t2.5"
    assert said[3] == "0"


@pytest.mark.parametrize(("lua", "name"), [("5.1", "fail"), ("5.3", "uart.fail")])
def test_a_fault_has_the_callers_position_and_the_builtins_frame(lua: str, name: str) -> None:
    (said,) = answers(lua, "uart.fail()")
    where = f"stack traceback:\r\n\t[C]: in function '{name}'\r\n\tstdin:1: in main chunk"
    assert said == f"Lua error: \tstdin:1: it failed\r\n{where}{BOTTOM[lua]}"


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_a_bare_fault_has_no_position(lua: str) -> None:
    assert answers(lua, "=pcall(uart.fail_bare)") == ["false\tit failed"]


@pytest.mark.parametrize(("lua", "unnamed"), [("5.1", "?"), ("5.3", "uart.refuse")])
def test_an_argument_fault_names_the_function_as_the_caller_does(lua: str, unnamed: str) -> None:
    said = answers(lua, "=uart.refuse()", "=pcall(uart.refuse)", "o={m=uart.refuse} o:m()")
    assert said[0].startswith("Lua error: \tstdin:1: bad argument #2 to 'refuse' (not like this)")
    assert said[1] == f"false\tbad argument #2 to '{unnamed}' (not like this)"
    assert said[2].startswith("Lua error: \tstdin:1: bad argument #1 to 'm' (not like this)")


def test_a_tail_call_keeps_the_callers_frame() -> None:
    said = answers("5.1", "return uart.refuse()")
    assert "\tstdin:1: in main chunk\r\n" in said[0]


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_a_builtin_calls_back_on_the_callers_stack(lua: str) -> None:
    said = answers(lua, "=uart.twice(function(a) return a, 'x' end)", "uart.twice(function() error('inside') end)")
    assert said[0] == "1\tx\tnil\tx"
    lines = said[1].split("\r\n")
    assert lines[0] == "Lua error: \tstdin:1: inside"
    assert lines[3:6] == [
        "\tstdin:1: in function <stdin:1>",
        "\t[C]: in function 'twice'" if lua == "5.1" else "\t[C]: in function 'uart.twice'",
        "\tstdin:1: in main chunk",
    ]


def test_numbers_are_checked_as_each_version_does() -> None:
    lines = ("=uart.number(1.7)", "=uart.number('0x10')", "=uart.number({})", "=uart.number(2^32+5)", "=uart.text(3.0)")
    said = answers("5.1", *lines)
    assert said[0] == "1" and said[1] == "16" and said[3] == "5" and said[4] == "3"
    assert said[2].startswith("Lua error: \tstdin:1: bad argument #1 to 'number' (number expected, got table)")
    said = answers("5.3", *lines)
    assert said[0].startswith(
        "Lua error: \tstdin:1: bad argument #1 to 'number' (number has no integer representation)"
    )
    assert said[1] == "16" and said[4] == "3.0"


def test_a_bug_of_a_builtin_is_not_swallowed() -> None:
    async def main() -> None:
        bench = await Bench.boot(modules="uart,node")
        lua = bench.firmware.system.lua
        lua.add_module(Module("uart", {"bug": lambda arguments: 1 // 0}))
        function, _ = lua.loader.compile(b"pcall(uart.bug)", b"=test")
        with pytest.raises(ZeroDivisionError):
            lua.call(function)
        bench.close()

    run(main())


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_a_coroutine_hands_over_what_any_code_does(lua: str) -> None:
    said = answers(
        lua,
        "function same(...) local r,n={uart.echo(...)},select('#',...) for i=1,n do "
        "if r[i]~=(select(i,...)) then return i end end return n end t,f={},function() return t,nil,f,1,2,3 end",
        "function inside(g,...) return select(2,coroutine.resume(coroutine.create(g),...)) end",
        "=inside(same,t),inside(same,1,t),inside(same,nil,f,nil,t),inside(same,t,nil,nil,nil,f),inside(same,1,2,3,4,5,t,f,nil,9)",
        "=inside(function() return same(t),inside(same,f,t),same(1,2) end)",
        "=select('#',inside(uart.echo,t,nil,nil)),inside(uart.twice,f)==t,(select(2,inside(uart.twice,f)))",
        "=inside(function() return pcall(uart.refuse,t) end)",
    )
    assert said[2].split("\t") == ["1", "2", "4", "5", "9"]
    assert said[3].split("\t") == ["1", "2", "2"]
    assert "not like this" in said[5]


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_what_a_coroutine_handed_over_outlives_it(lua: str) -> None:
    kept: list[Any] = []

    def keep(arguments: Args) -> None:
        kept.extend(arguments)

    async def main() -> None:
        bench = await Bench.boot(lua=lua, modules="uart,node", cpu=0.0)
        lua_of_board = bench.firmware.system.lua
        lua_of_board.add_module(Module("uart", {"keep": keep}))
        for _ in range(3):
            await bench.answer(
                "for i=1,100 do coroutine.wrap(function() local t={i} "
                "uart.keep(function() return t[1] end,t) end)() end"
            )
            await bench.answer("collectgarbage() collectgarbage() for i=1,300 do local s=('x'):rep(i) end")
            functions, tables = kept[::2], kept[1::2]
            assert [lua_of_board.call(function)[0] for function in functions] == list(range(1, 101))
            assert [lua_of_board.items(table) for table in tables] == [[(1, number)] for number in range(1, 101)]
            del functions, tables
            kept.clear()
            await bench.answer("collectgarbage() collectgarbage() print(1)")
        bench.close()

    run(main())
