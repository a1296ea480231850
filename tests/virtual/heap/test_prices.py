"""Each kind of object by its own rule."""

from __future__ import annotations

import pytest

from bridge.virtual.clock import run
from bridge.virtual.heap.memory import Kind, memory_of
from bridge.virtual.heap.prices import Prices
from bridge.virtual.heap.sizes import FLOAT_51, FLOAT_53
from bridge.virtual.heap.state import BoardLua
from tests.virtual.bench import Bench


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_objects_of_a_board(lua: str) -> None:
    sizes = FLOAT_51 if lua == "5.1" else FLOAT_53

    async def main() -> None:
        bench = await Bench.boot(lua=lua, cpu=0.0)
        system = bench.firmware.system
        state = BoardLua(system.lua, system)
        memory = memory_of(lua, state.state_address())
        memory.learn_dummy()
        prices = Prices(memory, state)

        async def price(expression: str, kind: Kind, cells: set[int]) -> int:
            shown = await bench.answer(f"V={expression} print(V)")
            return prices.price(sizes, int(shown.rpartition("0x")[2], 16), kind, cells)

        none: set[int] = set()
        assert await price("{}", Kind.TABLE, none) == sizes.table(0, 0)
        assert await price("{1,2,3,x=1}", Kind.TABLE, none) == sizes.table(3, 1)
        assert await price("print and function() end", Kind.FUNCTION, none) == sizes.lua_closure(0)
        cells: set[int] = set()
        closure = await price("(function(a,b) return function() return a,b end end)(1,2)", Kind.FUNCTION, cells)
        assert (closure, len(cells)) == (sizes.lua_closure(2), 0 if lua == "5.1" else 2)
        thread = await price("coroutine.create(function() end)", Kind.THREAD, none)
        assert sizes.coroutine(40, 0) <= thread <= sizes.coroutine(64, 8)
        at = int((await bench.answer("V=tmr.create() print(V)")).rpartition("0x")[2], 16) - memory.userdata_header
        size = state.userdata_size(at + memory.userdata_header)
        assert size is not None and prices.price(sizes, at, Kind.USERDATA, none) == sizes.userdata_block(size)
        assert none == set()
        bench.close()

    run(main())
