"""A task pays for what its Lua does, and for nothing else."""

from __future__ import annotations

import asyncio

import pytest

from bridge.virtual.clock import run
from tests.virtual.bench import Bench


def seconds(lua: str, source: bytes, *, egc: int = 4, **options: object) -> float:
    """Board time that a chunk takes as a task."""

    async def main() -> float:
        bench = await Bench.boot(lua=lua, modules="node,uart,bit,tmr", **options)  # type: ignore[arg-type]
        system = bench.firmware.system
        if lua == "5.1":
            system.set_collector(egc, 4096)
        function, _ = system.lua.loader.compile(source, b"=test")
        spent: list[float] = []

        def task() -> None:
            began = system.cpu.now()
            system.lua.protected(function)
            spent.append(system.cpu.now() - began)

        system.event(task)
        await asyncio.sleep(3)
        bench.close()
        return spent[0]

    return run(main())


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_instructions_cost_what_the_model_says(lua: str) -> None:
    assert seconds(lua, b"for i = 1, 5000 do end") == pytest.approx(5000 * 1.2e-6, rel=0.03)


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_calls_of_the_firmware_cost_their_own(lua: str) -> None:
    empty = seconds(lua, b"local f = bit.band for i = 1, 500 do end")
    calls = seconds(lua, b"local f = bit.band for i = 1, 500 do f(i, 1) end") - empty
    assert 500 * 6e-6 < calls < 500 * 16e-6


def test_in_mode_always_each_allocation_pays_for_a_collection() -> None:
    source = b"for i = 1, 50 do local t = {} end"
    assert seconds("5.1", source, egc=4) > 10 * seconds("5.1", source, egc=1)
    assert seconds("5.3", source) < 0.001


def test_free_computing_is_free() -> None:
    assert seconds("5.1", b"for i = 1, 5000 do local t = {} end", cpu=0) == 0


def test_input_that_runs_no_lua_is_not_charged_for_it() -> None:
    async def main() -> None:
        bench = await Bench.boot(modules="node,uart")
        cpu = bench.firmware.system.cpu
        spent: list[float] = []

        def task() -> None:
            before = cpu.now()
            for _ in range(100):
                cpu.now()
            spent.append(cpu.now() - before)

        bench.firmware.system.event(task)
        await asyncio.sleep(0.1)
        assert spent == [0]
        bench.close()

    run(main())


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_a_collection_that_is_asked_for_costs_by_what_is_alive(lua: str) -> None:
    async def main() -> float:
        bench = await Bench.boot(lua=lua)
        try:
            await bench.type("function m() local t=tmr.now() collectgarbage() return tmr.now()-t end")
            bare = float(await bench.answer("print(m())"))
            await bench.type("o={} for i=1,300 do o[i]={} end")
            return (float(await bench.answer("print(m())")) - bare) / 300
        finally:
            bench.close()

    assert run(main()) == pytest.approx(0.8, rel=0.2)
