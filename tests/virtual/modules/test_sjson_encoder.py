"""Encoding: numbers, strings, functions, depth, and reading in pieces (app/modules/sjson.c)."""

from __future__ import annotations

import pytest

from tests.virtual.asked import answer, answers, error


def test_numbers_show_all_digits() -> None:
    assert answer("=sjson.encode({0.1,1e15,1/0,0/0,-5})") == "[0.1000000000000000056,1000000000000000,null,null,-5]"
    assert answer("=sjson.encode({0.1,7,1/0,3.0})", "5.3") == "[0.100000001,7,null,3]"


def test_strings() -> None:
    said = answer(r'=sjson.encode({"a\"b\\c\n\t\1\127\200"})')
    assert said == '["a\\"b\\c\\n\\t\\u0001\x7f\xc8"]'  # the stock encoder leaves backslashes alone


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_functions_are_called(lua: str) -> None:
    assert answer("=sjson.encode({a=function() return function() return {1,b} end end})", lua) == '{"a":[1]}'
    assert error("sjson.encode({function() error('no') end})", lua) == "no"


def test_keys() -> None:
    assert answer('=sjson.encode({[2]="b",x="y"})') in ('{"2":"b","x":"y"}', '{"x":"y","2":"b"}')
    assert answer("=sjson.encode({[0]=1}),sjson.encode({[true]=1})") == '{"0":1}\t{true:1}'


def test_pieces() -> None:
    said = answers(
        "e=sjson.encoder({1,2,'three'}) print(e:read(4),e:read(1),e:read(100),e:read())",
        "e=sjson.encoder({('x'):rep(3000)}) print(#e:read(),#e:read(),#e:read(),e:read())",
    )
    assert said == ['[1,2\t,\t"three"]', "1024\t1024\t956"]


def test_depth() -> None:
    assert answer("t={} for i=1,19 do t={t} end print(#sjson.encode(t))") == "40"
    assert error("t={} for i=1,20 do t={t} end sjson.encode(t)") == "encoder stack overflow"


def test_what_cannot_be_encoded() -> None:
    assert error("sjson.encode({coroutine.create(function() end)})") == "Cannot encode type 8"
    assert error("sjson.encode({tmr.create()})") == "Cannot encode type 7"
