"""What runs next: SDK events first, then three queues of eight tasks (app/platform/platform.c, app/task).

One thing runs to its end at a time. A task may be a generator: when it yields, it holds the CPU until the time it has
spent has passed, and goes on then; nothing else runs in between, but bytes arrive.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Generator
from types import GeneratorType
from typing import Any

from bridge.virtual.clock import is_virtual
from bridge.virtual.sdk.cpu import BoardCpu
from bridge.virtual.sdk.kernel import Halted, Priority, TaskQueueFull

#: TASK_DEFAULT_QUEUE_LEN
QUEUE_LENGTH = 8
#: What dispatching costs at 80 MHz, in microseconds. Never free, so that time passes in an endless chain of tasks.
DISPATCH_US = 10.0
#: On the wall clock a task may start so much early (s): the event loop cannot wait for less than a millisecond.
_SLACK_S = 0.002
#: Work done in one turn of the event loop, at most (s of the host's time).
_TURN_S = 0.005


class SdkTimer:
    """A pending event of the SDK; `kernel.Timer`."""

    def __init__(self, scheduler: Scheduler, seconds: float, function: Callable[[], None]) -> None:
        self._scheduler = scheduler
        self._function: Callable[[], None] | None = function
        self.handle = scheduler.loop.call_at(scheduler.cpu.now() + seconds, self._due)

    def _due(self) -> None:
        self._scheduler.forget(self)
        self._scheduler.event(self._fire)

    def _fire(self) -> None:
        # A timer that was cancelled after it fell due does not fire.
        function, self._function = self._function, None
        if function is not None:
            function()

    def cancel(self) -> None:
        """Drop the event."""
        self._function = None
        self.handle.cancel()
        self._scheduler.forget(self)


class Scheduler:
    """Runs events and tasks of one boot.

    Args:
        loop: the clock.
        cpu: where the time goes.
        after_each: called inside each task when its function has ended.
        on_halt: called when a task ended because the chip stopped.
        on_done: told what a task was and how many seconds of board time it held the CPU.
        on_wait: called when a task waits for time to pass, with the CPU held.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        cpu: BoardCpu,
        after_each: Callable[[], None] = lambda: None,
        on_halt: Callable[[], None] = lambda: None,
        on_done: Callable[[str, float], None] = lambda what, seconds: None,
        on_wait: Callable[[], None] = lambda: None,
    ) -> None:
        self.loop = loop
        self.cpu = cpu
        self._slack = 0.0 if is_virtual(loop) else _SLACK_S
        self._after_each = after_each
        self._on_halt = on_halt
        self._on_done = on_done
        self._on_wait = on_wait
        #: True for another exception than `Halted` that says that the chip has stopped: the VM's, where it was stopped
        #: in the middle of what it does for the firmware itself.
        self.is_halt: Callable[[Exception], bool] = lambda failure: False
        self._began = 0.0
        #: What the running task is; whoever knows it better sets it.
        self.doing = ""
        self._events: deque[Callable[[], Any]] = deque()
        self._queues: dict[Priority, deque[Callable[[], Any]]] = {priority: deque() for priority in Priority}
        self._current: Generator[None, None, None] | None = None
        self._busy_until = loop.time()
        self._wakeup: asyncio.TimerHandle | None = None
        self._timers: set[SdkTimer] = set()
        self._stopped = False
        self._held = False

    def post(self, priority: Priority, function: Callable[[], Any]) -> None:
        """Queue a task.

        Raises:
            TaskQueueFull: eight of this priority are queued.
        """
        queue = self._queues[priority]
        if len(queue) >= QUEUE_LENGTH:
            raise TaskQueueFull(priority.name)
        queue.append(function)
        self._wake()

    def event(self, function: Callable[[], Any]) -> None:
        """Run a callback of the SDK as soon as the CPU is free, before any task."""
        if not self._stopped:
            self._events.append(function)
            self._wake()

    def after(self, seconds: float, function: Callable[[], None]) -> SdkTimer:
        """Run a callback of the SDK after a delay of board time."""
        timer = SdkTimer(self, seconds, function)
        if self._stopped:
            timer.handle.cancel()
        else:
            self._timers.add(timer)
        return timer

    def forget(self, timer: SdkTimer) -> None:
        """The timer is no longer pending."""
        self._timers.discard(timer)

    @property
    def idle(self) -> bool:
        """True when nothing runs, nothing is due, and the last task's time has passed."""
        waiting = self._held or self._current or self._events or any(self._queues.values())
        return not waiting and self._busy_until <= self.loop.time() + self._slack

    @property
    def busy(self) -> bool:
        """True while a task, or `hold`, holds the CPU."""
        return self._held or self._current is not None or self._busy_until > self.loop.time()

    def stop(self) -> None:
        """Drop everything; nothing runs any more."""
        self._stopped = True
        if self._wakeup is not None:
            self._wakeup.cancel()
        for timer in list(self._timers):
            timer.cancel()
        self._events.clear()
        for queue in self._queues.values():
            queue.clear()
        if self._current is not None and not self.cpu.running:
            self._current.close()
        self._current = None

    def hold(self) -> None:
        """Dispatch nothing until `release`; what arrives meanwhile waits, as behind a long task of the SDK's own."""
        self._held = True

    def release(self) -> None:
        """Go on. Does nothing when nothing is held."""
        self._held = False
        if self._has_work():
            self._wake()

    # -- dispatch ---------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        if self._wakeup is None and not self._stopped and not self._held and not self.cpu.running:
            self._wakeup = self.loop.call_at(max(self._busy_until - self._slack, self.loop.time()), self._turn)

    def _turn(self) -> None:
        self._wakeup = None
        began = self.loop.time()
        while not self._stopped and not self._held and self._has_work():
            now = self.loop.time()
            if self._busy_until > now + self._slack or now - began > _TURN_S:
                self._wake()
                return
            self._run(max(now, self._busy_until))

    def _has_work(self) -> bool:
        return self._current is not None or bool(self._events) or any(self._queues.values())

    def _next(self) -> Callable[[], Any]:
        if self._events:
            return self._events.popleft()
        for priority in (Priority.HIGH, Priority.MEDIUM, Priority.LOW):
            if self._queues[priority]:
                return self._queues[priority].popleft()
        raise AssertionError("no work")

    def _run(self, start: float) -> None:
        halted = False
        try:
            if self._current is not None:
                self.cpu.resume(start)
                self._advance(self._current)
            else:
                self.cpu.begin(start)
                self._began = start
                self.doing = "event" if self._events else "task"
                self.cpu.charge(DISPATCH_US)
                result = self._next()()
                if isinstance(result, GeneratorType):
                    self._advance(result)
            if self._current is None:
                self._after_each()
            else:
                self._on_wait()
        except (Halted, Exception) as failure:
            if isinstance(failure, Exception) and not self.is_halt(failure):
                raise
            halted = True
            self._current = None
        finally:
            self._busy_until = max(self.cpu.end(), start + DISPATCH_US * 1e-6)
            if self._current is None:
                self._on_done(self.doing, self._busy_until - self._began)
        if halted:
            self._on_halt()

    def _advance(self, task: Generator[None, None, None]) -> None:
        try:
            next(task)
            self._current = task
        except StopIteration:
            self._current = None
        except Halted:
            self._current = None
            raise
