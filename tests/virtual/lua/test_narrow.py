"""Lua 5.3 computes with integers and floats of 32 bits (app/lua53/luaconf.h, LUA_32BITS)."""

from __future__ import annotations

import random
import struct

from bridge.virtual.lua.narrow import to_float
from tests.virtual.asked import answer, answers, error


def said(*lines: str) -> list[str]:
    return answers(*lines, lua="5.3")


def test_integers_wrap() -> None:
    assert said(
        "x=2147483647 print(x+1,x*2,-x-2,x*x,-(-x-1),x//-1,(-x-1)//-1)",
        "print(1<<31,1<<32,1<<-1,-1<<4) m=-1 print(m>>1,m>>31,m>>32,(m<<31)>>4,m>>-4,m<<-4)",
        "x,y=-2147483648,1 print(x,x<0,0x80000000<0,0xffffffff==-1,y<<31)",
        "print(2147483647+1,65536*65536,0xffffffff+1)",
    ) == [
        "-2147483648\t-2\t2147483647\t1\t-2147483648\t-2147483647\t-2147483648",
        "-2147483648\t0\t0\t-16\r\n2147483647\t1\t0\t134217728\t-16\t268435455",
        "-2.147484e+09\ttrue\ttrue\ttrue\t-2147483648",
        "-2147483648\t0\t0",
    ]


def test_floats_have_24_bits() -> None:
    assert said(
        "x=16777216 print(x+1.0==x+0.0,x+2.0==x+0.0,1e100,1/3==0.33333333)",
        "a,b=0.1,0.2 print(a+b==0.3,('%.14g'):format(a),('%.14g'):format(1/3),a..'',b..'|'..a+b)",
        "print(table.concat({1/3,2,'x'},','),(1/3)..1,1 ..2.5)",
        "print(math.pi==3.1415927,math.sqrt(2),math.floor(2147483648.5),math.abs(-0x80000000),math.tointeger(2^31))",
    ) == [
        "true\tfalse\tinf\ttrue",
        "true\t0.10000000149012\t0.33333334326744\t0.1\t0.2|0.3",
        "0.3333333,2,x\t0.33333331\t12.5",
        "true\t1.414214\t2.147484e+09\t-2147483648\tnil",
    ]


def test_halfway_floats_go_to_the_even_one_as_in_c() -> None:
    rng = random.Random(7)
    values = [16777217.0, 16777219.0, -33554434.0, 1e-40, 3.4e38, 1 / 3]
    values += [rng.uniform(-1, 1) * 2.0 ** rng.randint(-60, 60) for _ in range(40)]
    bits = [struct.pack(">f", to_float(value)).hex() for value in values]
    words = [f"{struct.unpack('>q', struct.pack('>d', value))[0]}" for value in values]
    # A double comes in by two halves of the same precision, so that the board itself adds what is to be rounded.
    pairs = [(to_float(value), value - to_float(value)) for value in values]
    lines = [f"=string.pack('>f',{a!r}+{b!r}):byte(1,4)" for a, b in pairs]
    for text, line, word in zip(bits, said(*lines), words, strict=True):
        assert bytes(int(part) for part in line.split("\t")).hex() == text, word


def test_numerals_and_strings_beyond_the_integers_are_floats() -> None:
    assert said(
        "print(2147483648,-2147483648,4294967296,0x100000000)",
        "print(tonumber('2147483648'),tonumber('0xffffffff'),tonumber('ffffffff',16),tonumber(' 5 '),tonumber('x'))",
        "='4294967295'+0,10 ..''",
    ) == ["2.147484e+09\t-2.147484e+09\t4.294967e+09\t0", "2.147484e+09\t-1\t-1\t5\tnil", "4.294967e+09\t10"]


def test_what_has_no_integer_is_refused() -> None:
    # app/lua53/lauxlib.c interror
    no = "(number has no integer representation)"
    assert error("=bit.band(2^31,1)", lua="5.3") == "bad argument #1 to 'band' " + no
    assert error("=('%d'):format(2147483648)", lua="5.3") == "bad argument #1 to 'format' " + no
    assert error("=('x'):rep(1e10)", lua="5.3") == "bad argument #1 to 'rep' " + no


def test_zero_divides_no_remainder() -> None:
    # luai_nummod in app/lua53/llimits.h
    assert error("=1.5%0", lua="5.3") == "modulo by zero"
    assert error("x=2.5 return x%0", lua="5.3") == "modulo by zero"
    assert error("=math.fmod(1.5,0)", lua="5.3") == "modulo by zero"
    assert error("=1%0", lua="5.3") == "attempt to perform 'n%0'"
    assert answer("=5.5%2,-5.5%2,5%-3", lua="5.3") == "1.5\t0.5\t-1"


def test_errors_and_metamethods_are_the_vms_own() -> None:
    assert error("=nosuch..1", lua="5.3") == "attempt to concatenate a nil value (field 'nosuch')"
    assert error("local a={} print(a.x..'s'..1)", lua="5.3") == "attempt to concatenate a nil value (field 'x')"
    assert error("=nosuch+1", lua="5.3") == "attempt to perform arithmetic on a nil value (field 'nosuch')"
    assert (
        answer(
            "t=setmetatable({},{__add=function(a,b) return 'sum' end,__concat=function() return 'cat' end,"
            "__shl=function() return 's' end}) print(t+1,t..1.5,1.5 ..t,t<<1)",
            lua="5.3",
        )
        == "sum\tcat\tcat\ts"
    )


def test_a_loop_to_the_largest_integer_goes_on() -> None:
    assert answer("for i=2147483646,2147483647 do print(i) if i<0 then break end end", lua="5.3") == (
        "2147483646\r\n2147483647\r\n-2147483648"
    )


def test_records_have_the_chips_sizes() -> None:
    line = "=string.packsize('jnlT'),#string.pack('n',1.5),#string.pack('s','abc'),#string.pack('s1','abc')"
    assert answer(line, lua="5.3") == "16\t4\t7\t4"
    # An unsigned integer of four bytes is a lua_Integer (app/lua53/lstrlib.c unpackint).
    assert answer("=string.unpack('<I4',string.pack('<I4',-1))", lua="5.3") == "-1\t5"


def test_floats_from_elsewhere_have_24_bits_too() -> None:
    line = "=sjson.decode('[1.1]')[1]==1.1,('%s|%5.1f|%d'):format(2^53,1/3,3.0),('%s'):format(0.1)"
    assert answer(line, lua="5.3") == "true\t9.007199e+15|  0.3|3\t0.1"
