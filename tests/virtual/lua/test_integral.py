"""The integer build of 5.1: what a fraction would be on a build with floats."""

from __future__ import annotations

import pytest

from bridge.virtual.lua.integral import malformed
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


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("x = 1", None),
        ("x = 0x1F + 10 -- 0.5", None),
        ("x = '0.5' .. \"1e3\" .. [[\n0.5]] --[==[ 0.5 ]==]", None),
        ("a1 = b.c2 .. '\\'0.5'", None),
        ("x = {1,2}\ny = 0.5", (b"0.5", 2)),
        ("x = .5", (b".5", 1)),
        ("x = 1e3", (b"1e3", 1)),
        ("x = 1 ..2. .. ''", (b"2.", 1)),
    ],
)
def test_numerals_that_no_int_can_be_read_from(source: str, found: tuple[bytes, int] | None) -> None:
    assert malformed(source.encode()) == found


def test_numerals_that_are_too_large() -> None:
    assert whole("=4503599627370496,0xFFFFFFFF,2147483647") == "2147483647\t-1\t2147483647"


def test_they_do_not_compile() -> None:
    assert whole("=0.5") == "Lua error: \tstdin:1: malformed number near '0.5'"
    assert whole("=loadstring('x=1\\ny=2.5')") == "nil\t[string \"x=1...\"]:2: malformed number near '2.5'"


def test_the_library_gives_whole_numbers() -> None:
    assert whole("=math.sqrt(10),math.pow(2,10),math.random()") == "3\t1024\t0"
    assert whole(
        "=tonumber('1.5'),tonumber('1e3'),tonumber(' 12 '),tonumber('0x1f'),tonumber('z',36),tonumber({})"
    ) == ("nil\tnil\t12\t31\t35\tnil")
