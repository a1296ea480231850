"""What the heap model sees of a board's VM."""

from __future__ import annotations

import pytest

from bridge.virtual.clock import run
from bridge.virtual.heap.memory import Kind, memory_of
from bridge.virtual.heap.state import BoardLua
from tests.virtual.bench import Bench


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_a_board(lua: str) -> None:
    async def main() -> None:
        bench = await Bench.boot(lua=lua, cpu=0.0)
        system = bench.firmware.system
        state = BoardLua(system.lua, system)
        memory = memory_of(lua, state.state_address())
        assert (state.anchor(), Kind.TABLE) in list(memory.chain(memory.lists()[0]))
        await bench.answer("P=pipe.create() P:write(('x'):rep(300))")
        assert sorted(map(len, state.pipe_chunks()))[-2:] == [44, 256]
        assert state.collects_always() == (lua == "5.1")
        if lua == "5.1":
            await bench.answer("node.egc.setmode(node.egc.ON_ALLOC_FAILURE)")
            assert not state.collects_always()
        shown = (await bench.answer("F=file.open('a','w') print(F)")).rpartition("0x")[2]
        assert state.userdata_size(int(shown, 16)) == 4
        assert state.userdata_size(1) is None
        bench.close()

    run(main())
