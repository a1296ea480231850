"""The collector in the modes that are not ALWAYS: when it works on a board, and what a program sees of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from bridge.virtual.clock import run
from bridge.virtual.sdk import collecting
from tests.virtual.asked import answers
from tests.virtual.bench import Bench
from tests.virtual.recorded import load
from tests.virtual_link import virtual_link


@dataclass
class Told:
    full: float = 0.0
    cycles: float = 0.0
    seconds: float = 0.0

    def clear(self) -> None:
        self.full = self.cycles = self.seconds = 0.0


def on_board(test: Callable[[Bench, Told], Awaitable[None]], lua: str = "5.1", **options: object) -> None:
    async def main() -> None:
        bench = await Bench.boot(lua=lua, **options)
        told = Told()

        def tell(full: float, cycles: float, microseconds: float) -> None:
            told.full += full
            told.cycles += cycles
            told.seconds += microseconds * 1e-6

        account = bench.firmware.system.account
        account._told = account.collecting._told = tell
        await test(bench, told)
        bench.close()

    run(main())


def recorded_heaps() -> list[int]:
    steps = load("recordings", "egc_modes")["steps"]
    said = [step["recv"].split("\r\n")[1] for step in steps if "node.heap()" in step.get("recv", "")]
    return [int(text) for text in said]


def test_garbage_is_as_recorded() -> None:
    collected = "collectgarbage() print(node.heap())"
    few, many = (f"for i=1,{n} do local t={{i}} end print(node.heap())" for n in (200, 20000))
    lines = ["node.egc.setmode(node.egc.ON_ALLOC_FAILURE)", few, many, collected]
    lines += ["node.egc.setmode(node.egc.ON_MEM_LIMIT,-12288)", few, many, collected]
    lines += ["node.egc.setmode(node.egc.ON_MEM_LIMIT,-20000)", many]
    model = [int(text) for text in answers(*lines, cpu=1.0) if text]
    *recorded, _ = recorded_heaps()
    assert len(model) == len(recorded) == 7
    for here, there in zip(model, recorded, strict=True):
        # A saw's tooth is 2.5 KB high; what is free without any garbage differs by 400 bytes.
        assert here == pytest.approx(there, abs=2500)
    garbage = [max(model) - free for free in model]
    assert all(0 <= each < 3600 for each in garbage)


def test_a_large_pause_leaves_the_memory_limit_alone() -> None:
    async def test(bench: Bench, told: Told) -> None:
        await bench.type("node.egc.setmode(node.egc.ON_MEM_LIMIT,-12000) collectgarbage('setpause',1000000)")
        await bench.type("collectgarbage()")
        told.clear()
        free = int(await bench.answer("for i=1,300 do local t={i} end print(node.heap())"))
        assert (told.full, told.cycles) == (0, 0)
        assert free == pytest.approx(44_600 - 300 * 64, abs=1000)
        await bench.type("for i=1,5000 do local t={i} end")
        assert told.cycles == 0
        # Each full collection gives back some 32 KB, which are 500 of these tables.
        assert 8 <= told.full <= 12

    on_board(test)


def test_below_the_limit_each_allocation_costs_a_full_collection() -> None:
    async def test(bench: Bench, told: Told) -> None:
        await bench.type("T={} for i=1,400 do T[i]={i} end")
        await bench.type("node.egc.setmode(node.egc.ON_MEM_LIMIT,-40000)")
        told.clear()
        await bench.type("for i=1,100 do local t={} end")
        assert 100 <= told.full < 140
        assert told.seconds > 100 * 500e-6
        await bench.type("T=nil")
        await bench.type("node.egc.setmode(node.egc.ON_MEM_LIMIT,-12000)")
        told.clear()
        await bench.type("for i=1,100 do local t={} end")
        assert told.full == 0

    on_board(test)


def test_a_positive_limit_is_the_most_that_lua_may_have() -> None:
    said = answers(
        "node.egc.setmode(node.egc.ON_MEM_LIMIT,16384)",
        "T={} =pcall(function() for i=1,1000 do T[i]={i} end end)".replace(" =", " return "),
        "=#T<520",
        cpu=1.0,
    )
    assert said[1:] == ["false\tnot enough memory", "true"]


def test_without_an_emergency_collection_a_heap_of_garbage_is_the_end() -> None:
    line = "=pcall(function() for i=1,3000 do local t={i} end return 'through' end)"
    stop = "collectgarbage('setpause',1000000) collectgarbage()"
    assert answers("node.egc.setmode(node.egc.ON_ALLOC_FAILURE)", stop, line)[2] == "true\tthrough"
    assert answers("node.egc.setmode(node.egc.NOT_ACTIVE)", stop, line)[2] == "false\tnot enough memory"


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_finalizers_run_when_a_cycle_ends_and_not_before(lua: str) -> None:
    async def test(bench: Bench, told: Told) -> None:
        if lua == "5.1":
            await bench.type("node.egc.setmode(node.egc.ON_ALLOC_FAILURE)")
            await bench.type("p=newproxy(true) getmetatable(p).__gc=function() GONE=true end")
        else:
            await bench.type("p=setmetatable({},{__gc=function() GONE=true end})")
        await bench.type("collectgarbage() p=nil")
        assert await bench.answer("=GONE") == "nil"
        await bench.type("for i=1,500 do local t={i} end")
        assert await bench.answer("=GONE") == "true"

    on_board(test, lua)


def test_a_stopped_collector_lets_garbage_gather_even_in_mode_always() -> None:
    said = answers(
        "collectgarbage('stop') for i=1,200 do local t={i} end print(node.heap()<35000)",
        "collectgarbage() print(node.heap()<35000)",
        "collectgarbage('restart') print(node.heap()>43000)",
        cpu=1.0,
    )
    assert said == ["true", "true", "true"]


def test_steps_and_counts() -> None:
    said = answers(
        "node.egc.setmode(node.egc.ON_ALLOC_FAILURE) collectgarbage()",
        "local n=0 repeat n=n+1 until collectgarbage('step') print(n>1 and n<20)",
        "collectgarbage() collectgarbage('stop') local c=collectgarbage('count') for i=1,100 do local t={} end "
        "print(collectgarbage('count')-c)",
        "=collectgarbage('setpause',200),collectgarbage('setpause'),collectgarbage('setstepmul',300)",
        "=node.egc.meminfo()",
        cpu=1.0,
    )
    assert said[1] == "true"
    assert float(said[2]) * 1024 == pytest.approx(3200, abs=200)
    assert said[3] == "110\t200\t200"
    total, estimate = map(int, said[4].split("\t"))
    assert 4000 < estimate < total < 12_000


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_the_same_board_answers_the_same_again(lua: str) -> None:
    mode = "node.egc.setmode(1)" if lua == "5.1" else "x=1"
    lines = (mode, "for i=1,3000 do local t={i,tostring(i)} end print(node.heap(),tmr.now(),collectgarbage('count'))")
    assert answers(*lines, lua=lua, cpu=1.0) == answers(*lines, lua=lua, cpu=1.0)


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_a_deep_stack_takes_its_share_of_the_heap(lua: str) -> None:
    mode = "node.egc.setmode(1)" if lua == "5.1" else "x=1"
    define = "function f(n) if n==0 then return node.heap() end local h=f(n-1) return h end"
    flat, deep = (int(text) for text in answers(mode, define, "=f(1)", "=f(400)", lua=lua, cpu=1.0)[2:])
    # How much of what the stack has grown to is in use depends on when the collector looked at it last.
    assert flat - deep > 5_000


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_what_the_host_needs_to_compile_is_not_the_programs(lua: str) -> None:
    mode = "node.egc.setmode(1)" if lua == "5.1" else "x=1"
    said = answers(
        mode,
        "s='return {'..('{},'):rep(100)..'}' collectgarbage() collectgarbage()",
        "local h=node.heap() f=load and loadstring and loadstring(s) or load(s) print(h-node.heap())",
        "f=nil collectgarbage() collectgarbage()",
        "local n,h=0,node.heap() f=load(function() n=n+1 return s:sub(n*10-9,n*10) end) print(h-node.heap(),f~=nil)",
        lua=lua,
        cpu=1.0,
    )
    whole = int(said[2])
    pieces, made = said[4].split("\t")
    assert made == "true"
    assert 500 < whole < 3500
    # 31 pieces of a few bytes, and no more (a cycle may end in between).
    assert int(pieces) < whole + 2500


def test_a_program_that_waits_by_asking_the_time_over_and_over_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    # What the host's VM may hold before it is looked at: so little here that it is soon reached.
    monkeypatch.setattr(collecting, "_HOST_BYTES", 100_000)

    async def main() -> None:
        async with virtual_link() as link:
            await link.run_lua("local t = tmr.now() while tmr.now() - t < 200000 do tmr.wdclr() end")

    run(main())
