"""The pipe before the prompt, with the states of app/modules/pipe.c."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.virtual.sdk.kernel import TaskQueueFull
from bridge.virtual.sdk.stdin import StdinPipe


class Queue:
    """A task queue that a test runs by hand."""

    def __init__(self) -> None:
        self.tasks: list[Callable[[], None]] = []
        self.lines: list[bytes] = []
        self.full = False
        self.pipe = StdinPipe(self.post, self.run_line)
        self.typed_inside = b""

    def post(self, task: Callable[[], None]) -> None:
        if self.full:
            raise TaskQueueFull
        self.tasks.append(task)

    def run_line(self, line: bytes) -> None:
        self.lines.append(line)
        inside, self.typed_inside = self.typed_inside, b""
        self.pipe.write(inside)

    def run_one(self) -> None:
        self.tasks.pop(0)()

    def run_all(self) -> int:
        count = 0
        while self.tasks:
            self.run_one()
            count += 1
        return count


def test_one_line_per_task_and_one_task_at_a_time() -> None:
    queue = Queue()
    queue.pipe.write(b"a\nb\n")
    queue.pipe.write(b"c\n")
    assert len(queue.tasks) == 1
    queue.run_one()
    assert queue.lines == [b"a"] and len(queue.tasks) == 1
    assert queue.run_all() == 3
    assert queue.lines == [b"a", b"b", b"c"]


def test_a_line_without_its_end_waits() -> None:
    queue = Queue()
    queue.pipe.write(b"pri")
    queue.run_all()
    queue.pipe.write(b"nt()\n")
    queue.run_all()
    assert queue.lines == [b"print()"]


def test_nothing_written_posts_nothing() -> None:
    queue = Queue()
    queue.pipe.write(b"")
    assert queue.tasks == []


def test_input_written_by_a_line_is_run_later() -> None:
    queue = Queue()
    queue.typed_inside = b"inner\n"
    queue.pipe.write(b"outer\n")
    queue.run_all()
    assert queue.lines == [b"outer", b"inner"]
    queue.pipe.write(b"again\n")
    queue.run_all()
    assert queue.lines[-1] == b"again"


def test_a_chain_that_could_not_be_posted_is_dead_for_ever() -> None:
    queue = Queue()
    queue.pipe.write(b"a\n")
    queue.full = True
    with pytest.raises(TaskQueueFull):
        queue.run_one()
    queue.full = False
    queue.pipe.write(b"b\n")
    assert queue.tasks == [] and queue.lines == [b"a"]
