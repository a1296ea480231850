"""Answers of the base library at the console, as a 32-bit build of the stock VM (release 3.0.0) gives them."""

from __future__ import annotations

import pytest

from bridge.virtual.clock import run
from tests.virtual.bench import Bench


def answers(lua: str, *lines: str) -> list[str]:
    async def main() -> list[str]:
        bench = await Bench.boot(lua=lua)
        said = [await bench.answer(line) for line in lines]
        bench.close()
        return said

    return run(main())


def first_lines(lua: str, *lines: str) -> list[str]:
    return [said.partition("\r\n")[0] for said in answers(lua, *lines)]


BOTH = ["5.1", "5.3"]


@pytest.mark.parametrize("lua", BOTH)
def test_integer_conversions_have_the_width_of_the_chip(lua: str) -> None:
    said = answers(lua, '=("%x %u %08X"):format(-1,-1,-16777216)', '=("%5d|%-5x|%%%s"):format(-3,255,"x")')
    assert said == ["ffffffff 4294967295 FF000000", "   -3|ff   |%x"]


def test_integer_conversions_of_what_does_not_fit() -> None:
    assert answers("5.1", '=("%d %x"):format(2^31,2^31)', '=("%d"):format(-3.9)') == ["-2147483648 80000000", "-3"]
    assert first_lines("5.3", '=("%d"):format(2^31)') == [
        "Lua error: \tstdin:1: bad argument #1 to 'format' (number has no integer representation)"
    ]


@pytest.mark.parametrize("lua", BOTH)
def test_errors_of_format_name_the_program_s_call(lua: str) -> None:
    assert first_lines(lua, 'string.format("%d","x")', 'string.format("%d")', "string.format({})") == [
        "Lua error: \tstdin:1: bad argument #2 to 'format' (number expected, got string)",
        "Lua error: \tstdin:1: bad argument #2 to 'format' (no value)",
        "Lua error: \tstdin:1: bad argument #1 to 'format' (string expected, got table)",
    ]


@pytest.mark.parametrize("lua", BOTH)
def test_a_c_function_under_a_programs_own_name_keeps_its_callers_frame(lua: str) -> None:
    # OP_TAILCALL in app/lua/lvm.c: a C function has returned before the caller's frame could go. luaB_auxwrap adds
    # the caller's position to an error of the coroutine.
    said = answers(
        lua,
        "co=coroutine.wrap(function() coroutine.yield(1) error('x') end)",
        "=co()",
        "=co()",
        "=co()",
        "co=tostring",
        "=co()",
        "function co() return 'lua' end",
        "=co()",
    )
    below = "\r\n\tstdin:1: in main chunk"
    assert said[1] == "1" and said[-1] == "lua"
    assert said[2].startswith("Lua error: \tstdin:1: stdin:1: x\r\nstack traceback:") and below in said[2]
    assert said[3].startswith("Lua error: \tstdin:1: cannot resume dead coroutine\r\n") and below in said[3]
    assert said[5].startswith("Lua error: \tstdin:1: bad argument #1 to 'co' (value expected)\r\n")


def test_tonumber_with_a_base_reads_32_bits() -> None:
    # strtoul in app/lua/lbaselib.c luaB_tonumber
    assert first_lines("5.1", "=tonumber('-1',16),tonumber('ffffffffff',16),tonumber('-0',2),tonumber(' z ',36)") == [
        "4294967295\t4294967295\t0\t35"
    ]
    assert first_lines("5.1", "=tonumber('1',37)", "=tonumber()", "=tonumber({},16)", "=tonumber('x',10)") == [
        "Lua error: \tstdin:1: bad argument #2 to 'tonumber' (base out of range)",
        "Lua error: \tstdin:1: bad argument #1 to 'tonumber' (value expected)",
        "Lua error: \tstdin:1: bad argument #1 to 'tonumber' (string expected, got table)",
        "nil",
    ]


def test_strings_beyond_every_heap_are_refused_at_once() -> None:
    assert first_lines("5.1", '=("x"):rep(1e9)', "=1") == ["Lua error: \tstring length overflow", "1"]
    assert first_lines(
        "5.1", 'node.egc.setmode(node.egc.ON_ALLOC_FAILURE) =("x"):rep(1e9)'.replace(" =", " return ")
    ) == ["Lua error: \tnot enough memory"]
    assert first_lines("5.3", '=("x"):rep(1e9)', "=1") == [
        "Lua error: \tstdin:1: not enough memory for buffer allocation",
        "1",
    ]


def test_replacements_of_gsub_are_checked() -> None:
    said = answers(
        "5.1",
        '=("abc"):gsub("b",{b=true})',
        '=("abc"):gsub("b",function() return {} end)',
        '=("abc"):gsub("b",true)',
        '=("abc"):gsub("%w",{a="1",b=2,c=false})',
        '=("abc"):gsub("(a)(b)",function(x,y) return y..x end)',
    )
    trace = "\r\nstack traceback:\r\n\t[C]: in function 'gsub'\r\n\tstdin:1: in main chunk\r\n\t[C]: ?\r\n\t[C]: ?"
    assert said == [
        "Lua error: \tstdin:1: invalid replacement value (a boolean)" + trace,
        "Lua error: \tstdin:1: invalid replacement value (a table)" + trace,
        "Lua error: \tstdin:1: bad argument #2 to 'gsub' (string/function/table/lightfunction expected)" + trace,
        "12c\t3",
        "bac\t1",
    ]


@pytest.mark.parametrize("lua", BOTH)
def test_functions_of_the_firmware_are_c_functions(lua: str) -> None:
    said = first_lines(lua, "=string.dump(print)", "=coroutine.create(print)", "=string.dump(function() end,5)")
    assert said[0] == "Lua error: \tstdin:1: unable to dump given function"
    if lua == "5.1":
        assert said[1] == "Lua error: \tstdin:1: bad argument #1 to 'create' (Lua function expected)"
    else:
        assert said[1].startswith("thread: ")
    assert said[2] == "Lua error: \tstdin:1: bad argument #2 to 'dump' (strip out of range)"


def test_environments_of_5_1() -> None:
    assert first_lines(
        "5.1",
        "=setfenv(print,{})",
        "f=setfenv(function() return xx end,{xx=5}) print(f())",
        "do local function g() setfenv(1,{yy=6}) return yy end print(g()) end",
        "=pcall(setfenv,1,5)",
    ) == [
        "Lua error: \tstdin:1: 'setfenv' cannot change environment of given object",
        "5",
        "6",
        "false\tbad argument #2 to '?' (table expected, got number)",
    ]


@pytest.mark.parametrize("lua", BOTH)
def test_parameters_of_the_collector(lua: str) -> None:
    said = answers(
        lua,
        '=collectgarbage("step"),collectgarbage("setpause",150),collectgarbage("setpause",110)',
        '=collectgarbage("setstepmul",300),collectgarbage("setstepmul",200)',
    )
    assert said == ["false\t110\t150", "200\t300"]


def test_a_failing_tostring_has_a_frame_in_5_1() -> None:
    assert answers("5.1", 'print(setmetatable({},{__tostring=function() error("ts") end}))')[0].split("\r\n")[2:6] == [
        "\t[C]: in function 'error'",
        "\tstdin:1: in function <stdin:1>",
        "\t[C]: ?",
        "\t[C]: in function 'print'",
    ]


def test_what_5_3_does_not_check() -> None:
    assert answers(
        "5.3",
        "=select(2,pairs(nil))",
        "=tostring(setmetatable({},{__tostring=function() return 5 end}))",
        "=pcall(rawset,{},nil,1)",
        "=pcall(coroutine.resume,1)",
        "=pcall(uart,1)",
    )[:3] == ["nil\tnil", "5", "false\ttable index is nil"]


@pytest.mark.parametrize("lua", BOTH)
def test_what_is_no_string_is_written_to_no_pipe(lua: str) -> None:
    assert answers(lua, "p=pipe.create()", "=p:write()", "=p:write({})", "=p:unread()", "=p:read()") == [
        "",
        "",
        "",
        "",
        "nil",
    ]


@pytest.mark.parametrize("lua", BOTH)
def test_a_record_without_its_values(lua: str) -> None:
    assert first_lines(lua, 'struct.pack("i4i4",1)') == [
        "Lua error: \tstdin:1: bad argument #3 to 'pack' (number expected, got nil)"
    ]


def test_the_string_library_lists_as_declared() -> None:
    line = "local s={} for k in pairs(string) do s[#s+1]=k end print(table.concat(s,' '))"
    assert answers("5.1", line) == [
        "__index __mod byte char dump find format gfind gmatch gsub len lower match rep reverse sub upper"
    ]
    assert answers("5.3", line) == [
        "__index __mod byte char dump find format gmatch gsub len lower match rep reverse sub upper pack packsize "
        "unpack"
    ]


@pytest.mark.parametrize("lua", BOTH)
def test_a_print_that_cannot_be_called_is_reported_without_the_board_s_own_names(lua: str) -> None:
    assert answers(lua, "print='x'", "=1")[1] == "error calling 'print' (attempt to call a string value)"


def test_5_3_names_functions_that_were_called_without_a_name() -> None:
    assert answers(
        "5.3", "=pcall(setmetatable,1)", "=pcall(select,0)", "=pcall(string.sub)", "=pcall(table.concat,1)"
    ) == [
        "false\tbad argument #1 to 'ROM.setmetatable' (table expected, got number)",
        "false\tbad argument #1 to 'ROM.select' (index out of range)",
        "false\tbad argument #1 to 'string.sub' (string expected, got no value)",
        "false\tbad argument #1 to 'table.concat' (table expected, got number)",
    ]


@pytest.mark.parametrize("count", [51, 300])
def test_the_limit_of_local_variables(count: int) -> None:
    line = f'local a={{}} for i=1,{count} do a[i]="local v"..i.."=1 " end print(loadstring(table.concat(a),"=c"))'
    assert answers("5.1", line) == ["nil\tc:1: main function has more than 50 local variables"]


@pytest.mark.parametrize("lua", BOTH)
def test_load_reads_no_further_than_there_is_sense(lua: str) -> None:
    assert answers(
        lua,
        '=load(function() return "x=" end)',
        "i=0 f=load(function() i=i+1 return ({'return ','4','2'})[i] end) print(f())",
        "i=0 f=load(function() i=i+1 return i<300 and 'x=1 ' or nil end) print(type(f),i)",
        "i=0 s='return '..('1 + '):rep(40)..'2'",
        "f=load(function() i=i+1 return i<=#s and s:sub(i,i) or nil end) print(f())",
    ) == ["nil\t(load):1: unexpected symbol near '='", "42", "function\t300", "", "42"]


def test_debug_of_5_3_lists_as_declared() -> None:
    assert answers("5.3", "local s={} for k in pairs(debug) do s[#s+1]=k end print(table.concat(s,' '))") == [
        "getuservalue gethook getinfo getlocal getregistry getstrings getmetatable getupvalue upvaluejoin upvalueid "
        "setuservalue sethook setlocal setmetatable setupvalue traceback"
    ]
