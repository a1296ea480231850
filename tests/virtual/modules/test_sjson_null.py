"""JSON's null as Lua sees it."""

from __future__ import annotations

from tests.virtual.asked import answer


def test_null_is_one_value_of_type_userdata() -> None:
    line = "local t=sjson.decode('[null,null]') print(type(t[1]),t[1]==t[2],tostring(t[1]))"
    assert answer(line) == "userdata\ttrue\tuserdata: 0x0"
