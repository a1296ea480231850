"""What was allocated, in bytes of the chip."""

from __future__ import annotations

import pytest

from bridge.virtual.clock import run
from bridge.virtual.heap.allocated import Allocated
from tests.virtual.bench import Bench

#: A chunk that is run, and the bytes that its objects take on a chip with 5.1 and 5.3, as Lua counts them.
ROWS = [
    (b"for i = 1, 50 do K[i] = {} end", 50 * 32, 50 * 32),
    (b"for i = 1, 50 do K[i] = {i} end", 50 * 44, 50 * 40),
    (b"for i = 1, 50 do K[i] = {a = i} end", 50 * 64, 50 * 52),
    (b"for i = 1, 50 do K[i] = function() return i end end", 50 * 48, 50 * 36),
    (b"for i = 1, 20 do K[i] = ('x'):rep(500 + i) end", 20 * 527, 20 * 527),
]


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].decode())
def test_objects_are_priced_as_on_the_chip(lua: str, row: tuple[bytes, int, int]) -> None:
    async def main() -> Allocated:
        bench = await Bench.boot(lua=lua, cpu=0.0)
        system = bench.firmware.system
        vm = system.lua.vm.runtime
        vm.execute(b"K = {} for i = 1, 64 do K[i] = 0 end")
        function = vm.eval(b"function() " + row[0] + b" end")
        system.lua.collect()
        mark = system.heap.mark()
        function()
        found = system.heap.allocated(mark)
        assert system.heap.allocated(system.heap.mark()) == Allocated()
        bench.close()
        return found

    found = run(main())
    assert found.bare == pytest.approx(row[1] if lua == "5.1" else row[2], rel=0.06, abs=60)
    assert found.bare < found.taken
    assert found.blocks >= 20


def test_amounts_add_and_never_fall_below_nothing() -> None:
    assert Allocated(1, 2, 3, 4).plus(Allocated(1, 1, 1, 1), 2) == Allocated(3, 4, 5, 6)
    assert Allocated(10, 20, 3).less(Allocated(4, 24, 4)) == Allocated(6, 0, 0)
