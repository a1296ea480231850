"""The Lua side of the board: tables in ROM, tracebacks, coroutines, string limits, the base library."""

from __future__ import annotations

import pytest

from bridge.virtual.clock import run
from tests.virtual.bench import Bench


@pytest.fixture(params=["5.1", "5.3"])
def lua(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def answers(lua: str, *lines: str) -> list[str]:
    async def main() -> list[str]:
        bench = await Bench.boot(lua=lua, modules="node,tmr,uart")
        said = [await bench.answer(line) for line in lines]
        bench.close()
        return said

    return run(main())


# -- tables in ROM ----------------------------------------------------------------------------------------------------


def test_modules_are_read_only_tables_in_declared_order(lua: str) -> None:
    said = answers(
        lua,
        "=type(uart),#uart,next(uart)==('setup'),getmetatable(uart)",
        "local s='' for k in pairs(tmr) do s=s..k..' ' end print(s)",
        "uart.x=1",
        "string.x=1",
        "=pcall(rawset,uart,'x',1)",
        "=rawget(uart,'write')==uart.write,rawequal(uart,uart),pcall(next,uart,'nokey')",
    )
    assert said[0] == "table\t0\ttrue\tnil"
    assert said[1] == "delay now wdclr softwd time ccount create ALARM_SINGLE ALARM_SEMI ALARM_AUTO "
    text = "readonly" if lua == "5.1" else "Readonly"
    assert said[2].startswith(f"Lua error: \tstdin:1: table is {text}\r\nstack traceback:\r\n\tstdin:1: in main chunk")
    assert said[3].startswith(f"Lua error: \tstdin:1: table is {text}")
    assert said[4] == "false\ttable is readonly"
    assert said[5].startswith("true\ttrue\t")


def test_globals_hide_modules_and_fall_through_to_rom(lua: str) -> None:
    said = answers(
        lua,
        "local n={} for k in pairs(_G) do n[k]=true end print(n.uart,n.print,n.string,n._VERSION,rawget(_G,'tmr'))",
        "=ROM.uart==uart,ROM.ROM==ROM,ROM.print==print,type(ROM)",
        "uart=5 print(uart,ROM.uart~=5) uart=nil print(type(uart))",
    )
    assert said == ["nil\tnil\tnil\ttrue\tnil", "true\ttrue\ttrue\ttable", "5\ttrue\r\ntable"]


def test_strings_have_methods_and_the_percent_operator(lua: str) -> None:
    said = answers(lua, "=('x'):rep(3),('%s-%d'%{'a',5}),'%s'%'one'", "=getmetatable('').__index==string,('')['y']")
    assert said == ["xxx\ta-5\tone", "true\tnil"]


# -- tracebacks -------------------------------------------------------------------------------------------------------


def test_long_tracebacks_are_cut_in_the_middle() -> None:
    line = "function r(n) if n==0 then error('deep') end r(n-1) return 1 end r(30)"
    frames = answers("5.1", line)[0].split("\r\n")[2:]
    assert frames[0] == "\t[C]: in function 'error'"
    assert frames.count("\t...") == 1 and len(frames) == 11 + 10
    assert frames[-1] == "\t[C]: ?"
    frames = answers("5.3", line)[0].split("\r\n")[2:]
    assert frames[10] == "\t..." and len(frames) == 10 + 1 + 11


def test_a_program_may_ask_for_tracebacks(lua: str) -> None:
    said = answers(
        lua,
        "function f() return (debug.traceback('msg')) end =1",
        "function f() return (debug.traceback('msg')) end",
        "print(f())",
        "print((debug.traceback('m',0):gsub('\\n.*\\n.*','')))",
        "=debug.traceback({})~=nil,debug.traceback(5)",
    )
    assert said[2].split("\r\n")[:4] == [
        "msg",
        "stack traceback:",
        "\tstdin:1: in function 'f'",
        "\tstdin:1: in main chunk",
    ]
    assert said[4].startswith("true\t5\r\nstack traceback:")


def test_tracebacks_of_coroutines(lua: str) -> None:
    line = "c=coroutine.create(function() local function g() coroutine.yield() end g() end)"
    said = answers(lua, line, "=debug.traceback(c)", "coroutine.resume(c) print(debug.traceback(c,'m'))")
    assert said[1] == "stack traceback:"
    names = "yield" if lua == "5.1" else "coroutine.yield"
    assert said[2].split("\r\n") == [
        "m",
        "stack traceback:",
        f"\t[C]: in function '{names}'",
        "\tstdin:1: in function <stdin:1>",
        "\tstdin:1: in function <stdin:1>",
    ]


def test_errors_of_handlers_and_odd_values(lua: str) -> None:
    said = answers(
        lua,
        "print(xpcall(function() error('e') end,function(m) return 'H:'..m end))",
        "print(xpcall(function() return 1,nil,2 end,print))",
        "=pcall(error)",
        "=pcall(error,{})",
        "error(setmetatable({},{__tostring=function() return 'obj' end}))",
    )
    assert said[0] == "false\tH:stdin:1: e"
    assert said[1] == "true\t1\tnil\t2"
    assert said[2] == "false\tnil"
    assert said[4] == "Lua error: \tobj"


# -- coroutines -------------------------------------------------------------------------------------------------------


def test_coroutines_pass_values_and_states(lua: str) -> None:
    said = answers(
        lua,
        "c=coroutine.create(function(a,...) local b=coroutine.yield(a+1,select('#',...)) return b,nil end)",
        "=coroutine.status(c),coroutine.resume(c,1,nil,nil)",
        "print(coroutine.status(c),coroutine.resume(c,'b')) print(coroutine.status(c),coroutine.resume(c))",
        "for v in coroutine.wrap(function() for i=1,3 do coroutine.yield(i) end end) do uart.write(0,tostring(v)) end",
        "=pcall(coroutine.wrap(function() error({}) end))==false,pcall(coroutine.wrap(function() error('w') end))",
    )
    assert said[1] == "suspended\ttrue\t2\t2"
    assert said[2] == "suspended\ttrue\tb\tnil\r\ndead\tfalse\tcannot resume dead coroutine"
    assert said[3] == "123> ".removesuffix("> ")
    assert said[4] == "true\tfalse\tstdin:1: w"


def test_the_firmware_can_be_called_inside_a_coroutine(lua: str) -> None:
    said = answers(
        lua,
        "c=coroutine.wrap(function() local x=0 for i=1,5000 do x=x+1 end uart.write(0,'in') return node.heap()>0 end)",
        "=c()",
        "c=coroutine.create(function() uart.write(0,-1) end) print(coroutine.resume(c))",
    )
    assert said[1] == "intrue"
    assert said[2] == "false\tstdin:1: invalid number"


# -- strings ----------------------------------------------------------------------------------------------------------

TOO_LONG = "false\tstring length overflow"


def test_every_builder_of_strings_knows_the_limit() -> None:
    calls = [
        "string.rep,'x',4096", "string.upper,s..s:sub(2)..s", "table.concat,{s,s}", "string.gsub,s,'.','xx'",
        "string.gsub,s,'.',function() return 'xx' end", "string.format,'%s%s',s,s",
    ]  # fmt: skip
    lines = [f"s=('x'):rep(4000) print(pcall({call}))" for call in calls]
    said = answers("5.1", *lines)
    assert said[0] == TOO_LONG and said[2:] == [TOO_LONG] * 4
    assert "string length overflow" in said[1]


def test_what_is_shorter_is_built_and_plain_cutting_is_free() -> None:
    said = answers("5.1", "s=('x'):rep(4095) print(#s,#(s:sub(1,95)..s:sub(1,4000)),#s:reverse(),#s:lower())")
    assert said == ["4095\t4095\t4095\t4095"]


def test_builders_complain_as_the_originals_do() -> None:
    said = answers(
        "5.1", "('x'):rep({})", "string.rep()", "=pcall(string.upper)", "string.format('%d','x')",
        "table.concat({1,{},3})", "('x'):gsub('x',{},{})", "string.char(300)",
    )  # fmt: skip
    at = "Lua error: \tstdin:1: bad argument #%d to '%s' (%s)"
    assert [text.partition("\r\n")[0] for text in said] == [
        at % (1, "rep", "number expected, got table"),
        at % (1, "rep", "string expected, got no value"),
        "false\tbad argument #1 to '?' (string expected, got no value)",
        at % (2, "format", "number expected, got string"),
        "Lua error: \tstdin:1: invalid value (table) at index 2 in table for 'concat'",
        at % (3, "gsub", "number expected, got table"),
        at % (1, "char", "invalid value"),
    ]


# -- base library -----------------------------------------------------------------------------------------------------


def test_print_goes_through_the_programs_tostring(lua: str) -> None:
    said = answers(lua, "print(1,nil,'a\\nb')", "tostring=function() return 5 end print(1)", "tostring=nil")
    assert said[0] == "1\tnil\ta\r\nb"
    if lua == "5.1":
        assert said[1] == "5"


def test_floats_of_53_are_shown_with_seven_digits() -> None:
    assert answers("5.3", "=1/3,2^53,3.0,-0.0,1e100,7//2,7/2") == ["0.3333333\t9.007199e+15\t3.0\t-0.0\tinf\t3\t3.5"]


def test_iteration(lua: str) -> None:
    said = answers(
        lua,
        "for i,v in ipairs({1,2,nil,4}) do uart.write(0,tostring(v)) end",
        "=pcall(pairs),pcall(next,{},'x')",
        "=next({}),next({7})",
    )
    assert said[0] == "12"
    assert "invalid key to 'next'" in said[1]
    assert said[2] == "nil\t1\t7"


def test_environments_of_51() -> None:
    said = answers("5.1", "f=setfenv(function() return x end,{x=9}) print(f(),getfenv(1)==_G)", "=newproxy(true)~=nil")
    assert said == ["9\ttrue", "true"]


def test_coroutines_that_nobody_holds_are_collected(lua: str) -> None:
    """Found: on 5.1 none ever was; sixty of them take more than the heap."""
    made = (
        "for i = 1, 60 do local c = coroutine.create(function() coroutine.yield() end) coroutine.resume(c) end print(1)"
    )
    ended = "c = coroutine.create(function() end) coroutine.resume(c) collectgarbage() print(coroutine.resume(c))"
    assert answers(lua, made, ended) == ["1", "false\tcannot resume dead coroutine"]
