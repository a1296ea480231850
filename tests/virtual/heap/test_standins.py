"""What coroutines and pipes are made of here costs what the chip has in its place."""

from __future__ import annotations

import pytest

from bridge.virtual.clock import run
from bridge.virtual.heap.memory import memory_of
from bridge.virtual.heap.sizes import FLOAT_51, FLOAT_53, INTEGER_51
from bridge.virtual.heap.standins import StandIns
from bridge.virtual.heap.state import BoardLua
from tests.virtual.asked import answers
from tests.virtual.bench import Bench

BUILDS = {"5.1 float": FLOAT_51, "5.1 integer": INTEGER_51, "5.3": FLOAT_53}


def price(build: str, make: str) -> float:
    """What one thing of a kind takes, from twenty that are kept."""
    lua, _, number = build.partition(" ")
    line = "F=function() end T={{}} for i=1,{0} do T[i]={1} end collectgarbage() print(node.heap())"
    few, many = (
        # The array of T has 32 slots in both cases.
        int(answers(line.format(count, make), lua=lua, number=number or "float")[0])
        for count in (17, 32)
    )
    return (few - many) / 15


@pytest.mark.parametrize("build", BUILDS)
def test_a_dead_coroutine_takes_what_a_thread_takes(build: str) -> None:
    sizes = BUILDS[build]
    thread = sizes.coroutine(45, 8) if build != "5.3" else sizes.coroutine(40, 0)
    dead = price(build, "(function(c) coroutine.resume(c) return c end)(coroutine.create(F))")
    assert thread <= dead <= thread + 16
    assert thread <= price(build, "coroutine.create(F)") <= thread + 16


@pytest.mark.parametrize("build", BUILDS)
def test_functions_of_c_that_are_lua_here(build: str) -> None:
    sizes = BUILDS[build]
    thread = sizes.coroutine(45, 8) if build != "5.3" else sizes.coroutine(40, 0)
    wrapped = price(build, "coroutine.wrap(F)")
    assert thread + sizes.c_closure(1) <= wrapped <= thread + sizes.c_closure(1) + 16
    reader = price(build, "T.p and T.p:reader(3) or (function() T.p=pipe.create() return T.p:reader(3) end)()")
    assert reader == pytest.approx(sizes.c_closure(2), abs=16)
    assert price(build, "pipe.create()") == pytest.approx(sizes.table(1, 0) + sizes.c_closure(4), abs=16)


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_other_functions_are_none(lua: str) -> None:
    async def main() -> None:
        bench = await Bench.boot(lua=lua, cpu=0.0)
        system = bench.firmware.system
        state = BoardLua(system.lua, system)
        memory = memory_of(lua, state.state_address())
        makers = state.makers()
        stand_ins = StandIns(memory, makers)
        assert stand_ins.price(FLOAT_51, makers["host_wrap"]) == 0
        assert stand_ins.price(FLOAT_51, makers["wrap"]) is None
        assert StandIns(memory, {}).price(FLOAT_51, makers["host_wrap"]) is None
        bench.close()

    run(main())
