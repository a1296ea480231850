"""The sjson module on a board."""

from __future__ import annotations

import pytest

from tests.virtual.asked import answer, answers, error


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_there_and_back(lua: str) -> None:
    said = answers(
        "=sjson.encode({1,2,{a='x'},true,3.5}),sjson.encode({}),sjson.encode({[3]=1})",
        """t=sjson.decode('{"a":[1,2,{"b":"c"}],"n":-5,"f":false}') print(t.a[3].b,t.n,t.f,#t.a)""",
        """=sjson.decode('[1.5]')[1],sjson.decode('[]')[1]""",
        "=sjson.decode(sjson.encode({x={1,{y='z'}}})).x[2].y",
    )
    assert said == ['[1,2,{"a":"x"},true,3.5]\t[]\t[null,null,1]', "c\t-5\tfalse\t3", "1.5\tnil", "z"]


def test_entries() -> None:
    assert answer("for k in pairs(sjson) do print(k) end").split("\r\n") == ["encode", "decode", "encoder", "decoder"]


def test_wrong_arguments() -> None:
    assert error("sjson.encode(5)") == "bad argument #1 to 'encode' (table expected, got number)"
    assert error("sjson.decode()") == "bad argument #1 to 'decode' (string expected, got no value)"
    assert error("sjson.decode('[1')") == "Incomplete JSON object passed to sjson.decode"
    assert error("sjson.decode('12 ')") == "Incomplete JSON object passed to sjson.decode"
    assert error("sjson.decode('[1,]')") == "JSON parse error: TRAILING_COMMA"
