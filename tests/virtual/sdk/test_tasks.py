"""Events, tasks and timers run one at a time, in the chip's order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from bridge.virtual.clock import run
from bridge.virtual.sdk.cpu import BoardCpu
from bridge.virtual.sdk.kernel import Halted, Priority, TaskQueueFull
from bridge.virtual.sdk.tasks import QUEUE_LENGTH, Scheduler


class Desk:
    """A scheduler with a log of what ran when."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.cpu = BoardCpu(self.loop, 1.0, lambda: None)
        self.halts = 0
        self.log: list[tuple[str, float]] = []
        self.scheduler = Scheduler(self.loop, self.cpu, on_halt=self.halted)

    def halted(self) -> None:
        self.halts += 1

    def job(self, name: str, seconds: float = 0.0) -> Callable[[], None]:
        def work() -> None:
            self.log.append((name, round(self.cpu.now(), 3)))
            self.cpu.busy(seconds)

        return work

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.log]


def on_desk(test) -> None:  # type: ignore[no-untyped-def]
    async def main() -> None:
        await test(Desk())

    run(main())


def test_higher_priorities_first_and_events_before_all() -> None:
    async def test(desk: Desk) -> None:
        desk.scheduler.post(Priority.LOW, desk.job("low"))
        desk.scheduler.post(Priority.HIGH, desk.job("high"))
        desk.scheduler.post(Priority.MEDIUM, desk.job("medium"))
        desk.scheduler.event(desk.job("event"))
        await asyncio.sleep(0.1)
        assert desk.names == ["event", "high", "medium", "low"]

    on_desk(test)


def test_a_task_holds_the_cpu_as_long_as_it_costs() -> None:
    async def test(desk: Desk) -> None:
        desk.scheduler.post(Priority.LOW, desk.job("first", 0.5))
        desk.scheduler.post(Priority.LOW, desk.job("second"))
        desk.loop.call_at(0.2, lambda: desk.scheduler.post(Priority.HIGH, desk.job("urgent")))
        await asyncio.sleep(0.3)
        assert desk.scheduler.busy and desk.names == ["first"]
        await asyncio.sleep(1)
        assert desk.log == [("first", 0.0), ("urgent", 0.5), ("second", 0.5)]
        assert desk.scheduler.idle and not desk.scheduler.busy

    on_desk(test)


def test_the_ninth_task_of_a_priority_is_refused() -> None:
    async def test(desk: Desk) -> None:
        for _ in range(QUEUE_LENGTH):
            desk.scheduler.post(Priority.LOW, desk.job("low"))
        with pytest.raises(TaskQueueFull):
            desk.scheduler.post(Priority.LOW, desk.job("one too many"))
        desk.scheduler.post(Priority.HIGH, desk.job("high"))
        await asyncio.sleep(0.1)
        assert desk.names == ["high"] + ["low"] * QUEUE_LENGTH

    on_desk(test)


def test_whoever_must_know_is_told_that_a_task_waits() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        cpu = BoardCpu(loop, 1.0, lambda: None)
        told: list[str] = []
        scheduler = Scheduler(loop, cpu, after_each=lambda: told.append("over"), on_wait=lambda: told.append("waits"))

        def work() -> Iterator[None]:
            cpu.busy(1.0)
            yield

        scheduler.post(Priority.LOW, work)
        await asyncio.sleep(0.5)
        assert told == ["waits"]  # at once, not when its time has passed
        await asyncio.sleep(1.0)
        assert told == ["waits", "over"] and loop.time() - began == 1.5

    run(main())


def test_a_task_that_yields_keeps_everybody_out_until_its_time_has_passed() -> None:
    async def test(desk: Desk) -> None:
        def slow() -> Iterator[None]:
            desk.job("a", 0.2)()
            yield
            desk.job("b", 0.1)()

        desk.scheduler.post(Priority.LOW, slow)
        desk.loop.call_at(0.1, lambda: desk.scheduler.event(desk.job("event")))
        await asyncio.sleep(1)
        assert desk.log == [("a", 0.0), ("b", 0.2), ("event", 0.3)]

    on_desk(test)


def test_nothing_is_dispatched_while_the_cpu_is_held() -> None:
    async def test(desk: Desk) -> None:
        scheduler = desk.scheduler
        scheduler.post(Priority.LOW, desk.job("queued before"))
        scheduler.hold()
        assert scheduler.busy and not scheduler.idle
        scheduler.after(0.1, desk.job("timer"))
        scheduler.post(Priority.HIGH, desk.job("queued meanwhile"))
        await asyncio.sleep(1)
        assert desk.log == []
        scheduler.release()
        await asyncio.sleep(0)
        await asyncio.sleep(0.1)
        assert desk.log == [("timer", 1.0), ("queued meanwhile", 1.0), ("queued before", 1.0)]
        assert scheduler.idle and not scheduler.busy
        scheduler.release()

    on_desk(test)


def test_timers_count_from_the_board_time_of_the_task_that_sets_them() -> None:
    async def test(desk: Desk) -> None:
        def work() -> None:
            desk.cpu.busy(0.5)
            desk.scheduler.after(0.25, desk.job("timer"))

        desk.scheduler.event(work)
        await asyncio.sleep(2)
        assert desk.log == [("timer", 0.75)]

    on_desk(test)


def test_a_timer_that_is_cancelled_never_fires_even_when_it_is_due() -> None:
    async def test(desk: Desk) -> None:
        timer = desk.scheduler.after(0.1, desk.job("timer"))

        def work() -> None:
            desk.cpu.busy(0.5)

        def cancel() -> None:
            timer.cancel()

        desk.scheduler.event(work)
        desk.loop.call_at(0.2, lambda: desk.scheduler.event(cancel))
        desk.scheduler.after(0.05, desk.job("other")).cancel()
        desk.loop.call_at(0.15, cancel)
        await asyncio.sleep(1)
        assert desk.log == []

    on_desk(test)


def test_an_endless_chain_of_tasks_lets_time_pass() -> None:
    async def test(desk: Desk) -> None:
        def again() -> None:
            desk.log.append(("again", desk.cpu.now()))
            desk.scheduler.post(Priority.MEDIUM, again)

        desk.scheduler.post(Priority.MEDIUM, again)
        await asyncio.sleep(0.01)
        assert 100 < len(desk.log) < 2000

    on_desk(test)


def test_a_halt_ends_the_task_and_is_reported() -> None:
    async def test(desk: Desk) -> None:
        def halt() -> None:
            raise Halted

        desk.scheduler.post(Priority.HIGH, halt)
        await asyncio.sleep(0.1)
        assert desk.halts == 1

    on_desk(test)


def test_nothing_runs_after_stop() -> None:
    async def test(desk: Desk) -> None:
        desk.scheduler.post(Priority.HIGH, desk.job("task"))
        desk.scheduler.after(0.1, desk.job("timer"))
        desk.scheduler.stop()
        desk.scheduler.event(desk.job("event"))
        desk.scheduler.after(0.1, desk.job("late timer"))
        await asyncio.sleep(1)
        assert desk.log == []

    on_desk(test)
