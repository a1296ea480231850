"""The model of the chip's incremental collector, in bytes."""

from __future__ import annotations

import pytest

from bridge.virtual.heap.collector import Collector, Done, Phase, Stock

NEVER = float("inf")
STOCK = Stock(total=4800, string_bytes=2700, strings=100, objects=100)


def collector(version: str = "5.1") -> Collector:
    model = Collector(version)
    model.take(STOCK)
    model.full(STOCK.total)
    return model


def all_of(model: Collector, size: float, *, ceiling: float = NEVER, blocks: float = 1.0) -> Done:
    """Allocate bytes that die at once."""
    known = 0.0

    def dead(left: float) -> float:
        nonlocal known
        fresh, known = size - left - known, size - left
        return fresh

    return model.allocate(size, dead, blocks, ceiling)


@pytest.mark.parametrize("version", ["5.1", "5.3"])
def test_a_cycle_begins_when_a_tenth_more_is_allocated(version: str) -> None:
    model = collector(version)
    assert model.threshold == 48 * 110
    assert all_of(model, 470) == Done()
    assert model.phase is Phase.PAUSE and model.total == 5270
    assert all_of(model, 20).cycles > 0
    assert model.phase is not Phase.PAUSE


@pytest.mark.parametrize("version", ["5.1", "5.3"])
def test_garbage_comes_and_goes_and_never_gathers(version: str) -> None:
    model = collector(version)
    done = all_of(model, 100_000)
    assert done.collected and 10 < done.cycles_ended < 100
    assert done.cycles == pytest.approx(done.cycles_ended, abs=1)
    assert STOCK.total <= model.total < STOCK.total + 8000


def test_what_lives_makes_cycles_longer() -> None:
    small, large = collector(), Collector("5.1")
    large.take(Stock(30_000, 5_000, 200, 600))
    large.full(30_000)
    assert all_of(small, 50_000).cycles_ended > 4 * all_of(large, 50_000).cycles_ended


def test_a_large_pause_ends_incremental_cycles_from_the_next_on() -> None:
    model = collector()
    model.pause = 1_000_000
    assert model.threshold == 48 * 110
    model.full(STOCK.total)
    assert all_of(model, 30_000) == Done()
    assert model.total == STOCK.total + 30_000


def test_the_pause_is_multiplied_in_32_bits() -> None:
    model = collector()
    model.pause = (1 << 32) // 48 + 1
    model.full(STOCK.total)
    assert model.threshold < model.total + 100


def test_below_the_limit_each_allocation_is_preceded_by_a_full_collection() -> None:
    model = collector()
    model.pause = 1_000_000
    model.full(STOCK.total)
    done = all_of(model, 10_000, ceiling=STOCK.total + 2000, blocks=100)
    assert done == Done(full=4, collected=True) or done == Done(full=5, collected=True)
    done = model.allocate(1000, lambda left: 0.0, 25, 4000.0)
    assert done.full == 25
    assert model.total == pytest.approx(STOCK.total + 1000, abs=2001)


def test_where_little_is_above_the_limit_each_allocation_has_its_collection_and_no_more() -> None:
    model = collector()
    model.pause = 1_000_000
    model.full(STOCK.total)
    done = all_of(model, 1000.0, ceiling=STOCK.total + 1e-7, blocks=40)
    assert 39 <= done.full <= 41 and done.cycles == 0
    model.multiplier, model.pause = 1 << 30, 100
    model.full(STOCK.total)
    assert all_of(model, 1000.0).cycles < 60


def test_a_stopped_collector_does_nothing() -> None:
    model = collector()
    model.running = False
    assert all_of(model, 50_000, ceiling=6000) == Done()
    assert model.due(0.0) == NEVER
    assert model.step(0, lambda: 0.0) == (True, Done())


@pytest.mark.parametrize("version", ["5.1", "5.3"])
def test_steps_on_demand_end_a_cycle(version: str) -> None:
    model = collector(version)
    ends = [model.step(0, lambda: 100.0)[0] for _ in range(12)]
    assert True in ends and not ends[0]
    assert model.step(100, lambda: 0.0)[0]
