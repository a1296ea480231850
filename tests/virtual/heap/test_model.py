"""The heap of a booted board."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from bridge.virtual.clock import run
from bridge.virtual.heap.model import HeapModel
from bridge.virtual.lua import chunk
from bridge.virtual.sdk.kernel import OutOfHeap
from tests.virtual.asked import answer, answers
from tests.virtual.bench import Bench


def on_board(test: Callable[[Bench, HeapModel], Awaitable[None]], lua: str = "5.1", **options: object) -> None:
    async def main() -> None:
        bench = await Bench.boot(lua=lua, **{"cpu": 0.0, **options})
        await test(bench, bench.firmware.system.heap)
        bench.close()

    run(main())


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_a_fresh_board_answers_what_it_was_made_with(lua: str) -> None:
    for heap in (44600, 30000):
        assert abs(int(answer("=node.heap()", lua, heap=heap)) - heap) < 300


def test_in_the_default_mode_garbage_is_free() -> None:
    said = answers("=node.heap()", "for i=1,200 do local t={i} end print(node.heap())")
    assert abs(int(said[0]) - int(said[1])) < 200


def test_kept_objects_are_not() -> None:
    before, after, freed = answers(
        "T=0 print(node.heap())",
        "T={} for i=1,100 do T[i]={} end print(node.heap())",
        "T=nil print(node.heap())",
    )
    # 100 tables of 40, and an array of 128 slots of 12.
    assert int(before) - int(after) == pytest.approx(100 * 40 + 40 + 1544, abs=150)
    assert int(freed) == pytest.approx(int(before), abs=100)


def test_c_claims_and_releases() -> None:
    async def test(bench: Bench, heap: HeapModel) -> None:
        free = heap.free()
        taken = heap.claim(100)
        assert taken == 112
        assert heap.free() == free - 112
        heap.release(taken)
        assert heap.free() == free
        with pytest.raises(OutOfHeap):
            heap.claim(free + 1)

    on_board(test)


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_lua_runs_out_of_memory_and_lives_on(lua: str) -> None:
    said = answers(
        "T={} print(pcall(function() for i=1,1e6 do T[i]={i} end end))",
        "=node.heap()<5000,pcall(function() for i=1,1e6 do T[-i]={i} end end)",
        "T=nil collectgarbage() collectgarbage() print(node.heap()>40000)",
        "T={} for i=1,100 do T[i]={} end print(node.heap()<41000)",
        lua=lua,
    )
    assert said == ["false\tnot enough memory", "true\tfalse\tnot enough memory", "true", "true"]


def test_a_chunk_that_cannot_be_compiled_for_lack_of_memory() -> None:
    said = answers(
        "s='return {'..('{},'):rep(300)..'}' print(#s,loadstring(s)~=nil)",
        "T={} for i=1,780 do T[i]={} end print(node.heap()<9000,pcall(loadstring,s))",
    )
    assert said[0] == "909\ttrue"
    assert said[1].endswith("not enough memory")


def test_a_smaller_heap_holds_less() -> None:
    line = "T={} pcall(function() for i=1,1e6 do T[i]={i} end end) n=#T T=nil print(n)"
    small, large = (int(answer(line, heap=heap)) for heap in (20000, 40000))
    assert 100 < small < large / 1.8


def test_allocations_are_counted() -> None:
    async def test(bench: Bench, heap: HeapModel) -> None:
        lua = bench.firmware.system.lua
        make = lua.vm.runtime.eval(b"function(n) KEPT = {} for i = 1, n do KEPT[i] = {} end end")
        counts = []
        for n in (0, 10, 100):
            mark = heap.mark()
            make(n)
            counts.append(heap.allocations(mark))
        base = counts[0]
        assert base < 10
        assert counts[1] - base == pytest.approx(10 + 5, abs=2)
        assert counts[2] - base == pytest.approx(100 + 8, abs=2)
        assert heap.allocations(heap.mark()) == 0
        before = heap.count_objects()
        make(500)
        assert heap.count_objects() >= before + 300

    on_board(test)


def test_what_a_chunk_takes_is_known_before_it_is_loaded() -> None:
    async def test(bench: Bench, heap: HeapModel) -> None:
        vm = bench.firmware.system.lua.vm
        dump, _ = vm.compile(b"local function f(a) return a .. 'text' end return f", b"=x")
        assert dump is not None
        price = heap.price_of(chunk.parse(dump, "5.1"))
        assert 300 < price < 700
        heap.lowest = heap.free()
        heap.loading(50, None, chunk.parse(dump, "5.1"))
        assert heap.lowest == pytest.approx(heap.free() - 2 * price, abs=400)
        heap.loading(0, b"\x1bLuanonsense")  # the loader will say what is wrong with it

    on_board(test)


def test_lua_counts_without_headers() -> None:
    before, after = answers(
        'X=0 print(collectgarbage("count")*1024)', 'X=("s"):rep(1000) print(collectgarbage("count")*1024)'
    )
    assert int(after) - int(before) == pytest.approx(1017, abs=150)


def test_garbage_gathers_where_the_collector_is_lazy_but_not_without_end() -> None:
    said = answers(
        "node.egc.setmode(node.egc.ON_ALLOC_FAILURE)",
        "for i=1,50 do local t={i} end print(node.heap())",
        "for i=1,20000 do local t={i} end print(node.heap())",
        "=#string.rep('a',5000)",
    )
    assert 20000 < int(said[1]) <= 44700
    assert 20000 < int(said[2]) <= 44700
    assert said[3] == "5000"


@pytest.mark.parametrize("operator", ["/", "^", "..", "/a^"])
def test_code_takes_what_it_takes_on_the_chip_whatever_stands_for_its_operations(operator: str) -> None:
    # The chip has one instruction for each of them, and no constant.
    define = "function f(a,b) return {} end print(node.heap())"
    plain, hidden = (
        answers(define.format(f"a{sign}b{sign}a,b{sign}a"), number="integer")[0]
        for sign in ("+a*" if operator == "/a^" else "+", operator)
    )
    joined = 24 if operator == ".." else 0  # `a..b..a` is one instruction, and needs its operands in a row
    assert abs(int(plain) - int(hidden)) <= joined


def test_equal_pieces_in_pipes_take_their_bytes_each() -> None:
    for lua in ("5.1", "5.3"):
        equal, different = (
            answers(
                f"P=pipe.create() for i=1,10 do P:write({text}:rep(256)) end collectgarbage() print(node.heap())",
                lua=lua,
            )[0]
            for text in ("('x')", "(i%10 ..'')")
        )
        assert int(equal) == pytest.approx(int(different), abs=60)
        assert int(equal) < 44600 - 10 * 280


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_a_program_that_frees_nothing_gets_nothing_more(lua: str) -> None:
    """Each refusal leaves something free, but not again and again: a leak must end where the heap does."""
    attempt = "print(select(2,pcall(leak)),N,node.heap())"
    said = answers(
        "N=0 function leak() for i=1,1e6 do N=N+1 T[N%16]={T[N%16]} end end T={}",
        *[attempt] * 12,
        "T=nil collectgarbage() collectgarbage() print(node.heap())",
        "T,N={},0 " + attempt,
        lua=lua,
    )
    tried = [line.split("\t") for line in said[1:13] if line.startswith("not enough memory\t")]
    held, free = [int(count) for _, count, _ in tried], [int(free) for *_, free in tried]
    assert held[0] > 500 and held[-1] < 1.5 * held[0], said
    assert all(later < earlier for earlier, later in zip(free, free[1:], strict=False)) and free[0] <= 3000, said
    assert int(said[13]) > 44000
    assert int(said[14].split("\t")[1]) == pytest.approx(held[0], rel=0.05)


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_a_coroutine_that_called_the_firmware_is_given_back(lua: str) -> None:
    measure = "collectgarbage() collectgarbage() print(node.heap())"
    work = "local t=tmr.create() t:register(9999,0,print) t:unregister() node.task.post(0,function() return t end)"
    said = answers(
        "function f() " + work + " end coroutine.wrap(f)()",
        measure,
        "for i=1,7 do coroutine.wrap(f)() end",
        "for i=1,7 do coroutine.resume(coroutine.create(f)) end",
        measure,
        lua=lua,
    )
    assert int(said[4]) == pytest.approx(int(said[1]), abs=100)
