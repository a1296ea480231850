"""Time passes while a task computes or waits."""

from __future__ import annotations

import asyncio

import pytest

from bridge.virtual.clock import run
from bridge.virtual.sdk.cpu import ENDLESS_S, WATCHDOG_S, BoardCpu
from bridge.virtual.sdk.kernel import Halted


def on_cpu(factor: float, work) -> list[str]:  # type: ignore[no-untyped-def]
    bites: list[str] = []

    async def main() -> None:
        cpu = BoardCpu(asyncio.get_running_loop(), factor, lambda: bites.append("bite"))
        work(cpu)

    run(main())
    return bites


def test_computing_and_waiting_add_up_inside_a_task() -> None:
    def work(cpu: BoardCpu) -> None:
        cpu.begin(5.0)
        cpu.charge(1000)
        cpu.busy(0.5)
        assert cpu.now() == pytest.approx(5.501)
        assert cpu.end() == pytest.approx(5.501)
        assert cpu.now() == 0.0

    assert on_cpu(1.0, work) == []


def test_160_mhz_computes_twice_as_fast_and_waits_as_long() -> None:
    def work(cpu: BoardCpu) -> None:
        cpu.mhz = 160
        cpu.begin(0.0)
        cpu.charge(1000)
        cpu.busy(1.0)
        assert cpu.end() == pytest.approx(1.0005)

    on_cpu(1.0, work)


def test_free_computing_costs_nothing_but_waiting_does() -> None:
    def work(cpu: BoardCpu) -> None:
        cpu.begin(0.0)
        cpu.charge(1e6)
        cpu.busy(0.25)
        assert cpu.end() == 0.25

    on_cpu(0.0, work)


def test_what_the_vm_did_is_brought_in_before_anybody_looks() -> None:
    def work(cpu: BoardCpu) -> None:
        cpu.settle = lambda: cpu.charge(100)
        cpu.begin(0.0)
        assert cpu.now() == pytest.approx(1e-4)
        assert cpu.now() == pytest.approx(2e-4)

    on_cpu(1.0, work)


def test_the_watchdog_bites_a_task_that_waits_too_long() -> None:
    def work(cpu: BoardCpu) -> None:
        cpu.begin(0.0)
        cpu.busy(WATCHDOG_S - 0.1)
        cpu.feed()
        cpu.busy(WATCHDOG_S - 0.1)
        with pytest.raises(Halted):
            cpu.busy(0.2)

    assert on_cpu(1.0, work) == ["bite"]


def test_an_endless_loop_starves_even_where_computing_is_free() -> None:
    def work(cpu: BoardCpu) -> None:
        cpu.begin(0.0)
        cpu.charge(WATCHDOG_S * 1e6 + 1)
        assert cpu.starved
        cpu.end()
        assert not cpu.starved

    on_cpu(0.0, work)


def test_microseconds_since_boot_wrap_at_32_bits() -> None:
    def work(cpu: BoardCpu) -> None:
        cpu.begin((1 << 32) / 1e6 + 0.000_005)
        assert cpu.micros() == 5

    on_cpu(1.0, work)


def test_a_detached_cpu_tells_nobody() -> None:
    def work(cpu: BoardCpu) -> None:
        cpu.settle = lambda: pytest.fail("asked after the end")
        cpu.detach()
        cpu.begin(0.0)
        assert cpu.end() == 0.0

    on_cpu(1.0, work)


def test_only_what_is_computed_makes_a_task_endless() -> None:
    def work(cpu: BoardCpu) -> None:
        cpu.begin(0.0)
        for _ in range(100):
            cpu.busy(1.0)
            cpu.feed()
        assert not cpu.endless
        cpu.charge(ENDLESS_S * 1e6)
        assert not cpu.endless
        cpu.charge(1.0)
        assert cpu.endless
        cpu.end()
        cpu.begin(0.0)
        assert not cpu.endless

    assert on_cpu(1.0, work) == on_cpu(0.0, work) == []
