"""Loops whose last value the chip's numbers never reach: by their answers, and by what is done to the code."""

from __future__ import annotations

import lupa.lua53
import pytest

from bridge.virtual.lua.chunk import Constant, parse
from bridge.virtual.lua.wrapping import unbind_wrapping_loops
from tests.virtual.asked import answer

FORPREP, INTEGER = 40, 0x13
ENDLESS = Constant(INTEGER, (1 << 63) - 1)


def unbound(source: str) -> tuple[int, bool]:
    """How many loops of a 5.3 chunk are changed, and whether they got the new limit."""
    lua = lupa.lua53.LuaRuntime(encoding=None)
    function = parse(lua.eval(b"function(text) return string.dump(load(text)) end")(source.encode()), "5.3")
    found = unbind_wrapping_loops(
        function, FORPREP, lambda value: value.value if isinstance(value.value, int) else None, ENDLESS
    )
    return len(found), ENDLESS in function.constants


def test_only_loops_that_the_step_carries_past_the_largest_number_lose_their_limit() -> None:
    assert unbound("for i = 1, 2147483647 do end") == (1, True)
    assert unbound("for i = 1, 2147483640, 10 do end for i = 1, 2147483637, 10 do end") == (1, True)
    assert unbound("for i = 1, 2147483646 do end") == (0, False)
    assert unbound("for i = 9, 1, -1 do end local n = 2147483647 for i = 1, n do end") == (0, False)


@pytest.mark.parametrize("build", [{"lua": "5.3"}, {"number": "integer"}])
def test_the_control_variable_goes_on_below(build: dict[str, str]) -> None:
    line = "local n=0 for i=2147483646,2147483647 do n=n+1 if n==3 then print(i) break end end"
    assert answer(line, **build) == "-2147483648"
