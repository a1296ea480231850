"""What a board says of itself: counters for a benchmark."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bridge.virtual.board import VirtualBoard
from bridge.virtual.clock import run
from bridge.virtual.options import VirtualOptions
from bridge.virtual.statistics import Statistics
from tests.virtual.bench import Bench


def on_bench(test: Callable[[Bench, Statistics], Awaitable[None]], lua: str = "5.1", **options: object) -> None:
    async def main() -> None:
        bench = await Bench.boot(lua=lua, **options)
        bench.statistics.reset()
        await test(bench, bench.statistics)
        bench.close()

    run(main())


def test_a_reset_starts_all_anew() -> None:
    statistics = Statistics()
    statistics.task("timer", 0.5)
    statistics.collected(2, 0.5, 0.25)
    statistics.heap(1000)
    statistics.heap(2000)
    said = statistics.as_dict()
    assert (said["longest_task_s"], said["longest_task"], said["tasks"], said["busy_s"]) == (0.5, "timer", 1, 0.5)
    assert (said["full_collections"], said["incremental_cycles"], said["collection_s"]) == (2, 0.5, 0.25)
    assert said["lowest_heap"] == 1000
    statistics.reset()
    assert statistics == Statistics()


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("local t=tmr.now() while tmr.now()-t<50000 do end", "console line"),
        ("tmr.create():alarm(10,0,function() tmr.delay(50000) end)", "timer"),
        ("node.task.post(function() tmr.delay(50000) end)", "task"),
        ("uart.on('data','\\n',function() tmr.delay(50000) end,1) uart.write(0,'')", "uart callback"),
        ("node.setonerror(function() tmr.delay(50000) end) node.task.post(function() error('x') end)", "onerror"),
    ],
)
def test_the_longest_task_is_named(line: str, what: str) -> None:
    async def test(bench: Bench, statistics: Statistics) -> None:
        await bench.type(line)
        if what == "uart callback":
            await bench.type("x=1")
        assert statistics.longest_task == what
        assert 0.05 < statistics.longest_task_s < 0.08
        assert statistics.busy_s > statistics.longest_task_s and statistics.tasks > 2

    on_bench(test)


def test_a_task_that_waits_for_the_line_has_all_of_its_wait() -> None:
    async def test(bench: Bench, statistics: Statistics) -> None:
        await bench.type("node.task.post(function() uart.write(0,('x'):rep(2000)) end)")
        assert statistics.longest_task == "task"
        assert statistics.longest_task_s == pytest.approx((2000 - 126) * 10 / 115200, rel=0.1)

    on_bench(test)


def test_collections_are_counted_in_each_mode() -> None:
    async def test(bench: Bench, statistics: Statistics) -> None:
        await bench.type("for i=1,50 do local t={} end")
        assert 40 <= statistics.full_collections < 100 and statistics.incremental_cycles == 0
        assert statistics.collection_s == pytest.approx(statistics.full_collections * 190e-6, rel=0.2)
        await bench.type("node.egc.setmode(node.egc.ON_ALLOC_FAILURE)")
        statistics.reset()
        await bench.type("for i=1,500 do local t={} end")
        assert statistics.full_collections == 0 and 2 < statistics.incremental_cycles < 30
        assert statistics.collection_s == pytest.approx(statistics.incremental_cycles * 185e-6, rel=0.2)

    on_bench(test)


def test_at_160_mhz_collections_take_half_the_time() -> None:
    async def test(bench: Bench, statistics: Statistics) -> None:
        took = []
        for mhz, mode in ((80, 4), (160, 4), (80, 1), (160, 1)):
            await bench.type(f"node.setcpufreq({mhz}) node.egc.setmode({mode},4096)")
            statistics.reset()
            await bench.type("collectgarbage() for i=1,400 do local t={} end")
            took.append(statistics.collection_s)
        assert took[1] == pytest.approx(took[0] / 2, rel=0.02)
        assert took[3] == pytest.approx(took[2] / 2, rel=0.15)

    on_bench(test)


def test_bytes_lost_in_the_ring_are_counted() -> None:
    async def test(bench: Bench, statistics: Statistics) -> None:
        await bench.send(b"tmr.delay(200000)\n")
        await bench.send(b"x" * 300)
        await bench.read()
        assert statistics.ring_bytes_lost == 44

    on_bench(test)


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_the_lowest_heap_is_of_the_time_since_the_reset(lua: str) -> None:
    async def test(bench: Bench, statistics: Statistics) -> None:
        await bench.type("T={} for i=1,400 do T[i]={i} end")
        assert statistics.lowest_heap is not None and statistics.lowest_heap < 20_000
        await bench.type("T=nil collectgarbage() collectgarbage()")
        statistics.reset()
        await bench.type("for i=1,300 do local t={} end")
        assert statistics.lowest_heap is not None and 30_000 < statistics.lowest_heap < 45_000

    on_bench(test, lua)


def test_what_the_flash_did() -> None:
    async def test(bench: Bench, statistics: Statistics) -> None:
        await bench.type("f=file.open('a','w') f:write(('x'):rep(1000)) f:close()")
        assert 4 <= statistics.pages_programmed < 20 and statistics.sectors_erased == 0
        await bench.type("file.format()", idle=30, most=60)
        assert statistics.sectors_erased > 100

    on_bench(test)


def test_flash_may_cost_nothing() -> None:
    async def main(factor: float) -> float:
        bench = await Bench.boot(flash=None, lua="5.1")
        bench.flash.factor = factor
        bench.statistics.reset()
        await bench.type("f=file.open('a','w') f:write(('x'):rep(1000)) f:close()")
        bench.close()
        return bench.statistics.longest_task_s

    assert run(main(1.0)) > run(main(0.0)) + 4 * 0.7e-3
    assert run(main(2.0)) > run(main(1.0)) + 4 * 0.7e-3


def test_a_whole_board_counts_over_its_boots() -> None:
    async def main() -> None:
        options = VirtualOptions(clock="virtual", network="memory", flash=0.0)
        async with VirtualBoard(options) as board:
            assert board.flash.factor == 0.0
            assert await board.answered()
            said = board.statistics.as_dict()
            assert said["bytes_to_host"] > 300 and said["longest_task"] == "boot"
            board.host_write(b"node.restart()\n")
            await asyncio.sleep(2)
            after = board.statistics.as_dict()
            assert after["bytes_to_board"] == said["bytes_to_board"] + 15
            assert after["bytes_to_host"] > 1.5 * said["bytes_to_host"]
            assert after["lowest_heap"] <= 44_600
            board.statistics.reset()
            assert board.statistics.bytes_to_host == 0

    run(main())
