"""The integer build of 5.1: what a fraction would be on a build with floats."""

from __future__ import annotations

from tests.virtual.asked import answer, answers, error


def whole(line: str) -> str:
    return answer(line, number="integer")


def test_quotients_round_down_and_powers_are_whole() -> None:
    assert whole("x,y=7,2 print(x/y,-x/y,x/-y,7/2,x^y,2^-1,y^31)") == "3\t-4\t-4\t3\t49\t0\t-2147483648"
    assert whole("='7'/2") == "3"
    assert whole("x=5 x=x/2/2 print(x)") == "1"


def test_other_builds_are_left_alone() -> None:
    assert answer("=7/2,0.5") == "3.5\t0.5"
    assert answer("=7/2,0.5", lua="5.3", number="integer") == "3.5\t0.5"


def test_loops_branches_and_open_results_around_an_operation_go_on() -> None:
    said = answers(
        "function f(...) local t={...} for k,v in ipairs(t) do if v/2==1 then return k..'x'..v/2,...  end end end",
        "print(f(1,2,3))",
        "local s=0 for i=10,1,-1 do if i%2==0 and i/2>1 or i/3==1 then s=s+i/2 end end print(s)",
        "print((function(a) return function() a=a/2 return a end end)(9)(), #{4/2,unpack({1,2,3})})",
        number="integer",
    )
    assert said == ["", "2x1\t1\t2\t3", "17", "4\t4"]


def test_errors_are_those_of_the_line() -> None:
    assert error("x=0 y=1/x", number="integer") == "divide by zero"
    assert error("y={}/2", number="integer") == "attempt to perform arithmetic on a table value"
    assert whole("=getmetatable('').nothing,pcall(function() return nil/1 end)").startswith("nil\tfalse\tstdin:1: att")
    assert whole("=setmetatable({},{__div=function(a,b) return 'm'..b end})/1") == "m1"


def test_sums_and_products_wrap() -> None:
    said = answers(
        "x,y=2147483647,65537 print(x+1,-x-2,x*x,y*65535,x*y*y,-(-x-1))",
        "x=123456789 print(x*x*x, x^3, x^0, x^-1)",
        "print(2147483647+1, 65536*65536, 2^63, 10^10)",
        number="integer",
    )
    assert said == [
        "-2147483648\t2147483647\t1\t-1\t2147352575\t-2147483648",
        f"{_int(123456789**3)}\t{_int(123456789**3)}\t1\t0",
        "-2147483648\t0\t0\t1410065408",
    ]


def _int(value: int) -> int:
    return (value + 2**31) % 2**32 - 2**31


def test_strings_that_are_no_ints_are_no_numbers() -> None:
    assert error("='1.5'+1", number="integer") == "attempt to perform arithmetic on a string value"
    assert error("x='1e1' y=2*x", number="integer") == "attempt to perform arithmetic on a string value"
    assert whole("='0x10'+' 7 ',-'3','4294967296'+0") == "23\t-3\t2147483647"
    assert error("=nosuch+1", number="integer") == "attempt to perform arithmetic on global 'nosuch' (a nil value)"


def test_what_comes_before_any_call_has_no_line() -> None:
    # luaG_runerror takes the line of the last instruction that saved where it is (Protect in app/lua/lvm.c).
    trace = "\r\nstack traceback:\r\n\tstdin: in main chunk\r\n\t[C]: ?\r\n\t[C]: ?"
    assert whole("=1/0") == "Lua error: \tstdin:-1: divide by zero" + trace
    assert whole("=-7%0") == "Lua error: \tstdin:-1: modulo by zero" + trace
    assert error("local a=type(0)=='number' and 0 return 1%a", number="integer") == "modulo by zero"


def test_a_loop_to_the_largest_int_goes_on() -> None:
    assert whole("for i=2147483646,2147483647 do print(i) if i<0 then break end end") == (
        "2147483646\r\n2147483647\r\n-2147483648"
    )


def test_numerals_that_are_too_large() -> None:
    assert whole("=4503599627370496,0xFFFFFFFF,2147483647") == "2147483647\t-1\t2147483647"


def test_the_parser_comes_first_when_it_is_first() -> None:
    # app/lua/llex.c read_numeral: the lexer complains when it gets there.
    assert whole("=7 // 3.7") == "Lua error: \tstdin:1: unexpected symbol near '/'"
    assert whole("=3.7 // 1") == "Lua error: \tstdin:1: malformed number near '3.7'"
    assert whole("=0xA.8") == "Lua error: \tstdin:1: malformed number near '.8'"


def test_there_are_no_conversions_for_fractions() -> None:
    # app/lua/lstrlib.c str_format
    assert error("=('%d %.2f'):format(1,2)", number="integer") == "invalid option '%f' to 'format'"
    assert error("=('%d'):format('7.5')", number="integer") == (
        "bad argument #1 to 'format' (number expected, got string)"
    )
    assert whole("=('%d %5s %%g'):format('7','x')") == "7     x %g"


def test_memory_is_counted_in_whole_kilobytes() -> None:
    assert "." not in whole("=collectgarbage('count')")


def test_they_do_not_compile() -> None:
    assert whole("=0.5") == "Lua error: \tstdin:1: malformed number near '0.5'"
    assert whole("=loadstring('x=1\\ny=2.5')") == "nil\t[string \"x=1...\"]:2: malformed number near '2.5'"


def test_the_library_gives_whole_numbers() -> None:
    assert whole("=math.sqrt(10),math.pow(2,10),math.random()") == "3\t1024\t0"
    assert whole(
        "=tonumber('1.5'),tonumber('1e3'),tonumber(' 12 '),tonumber('0x1f'),tonumber('z',36),tonumber({})"
    ) == ("nil\tnil\t12\t31\t35\tnil")
    # app/lua/lbaselib.c luaB_tonumber: strtoul, and strtol for what has no base.
    assert whole("=tonumber('0xffffffff'),tonumber('ffffffff',16),tonumber('4294967295'),tonumber('-0x10')") == (
        "-1\t-1\t2147483647\t-16"
    )
