from __future__ import annotations

import threading

import pytest

from bridge import sync
from bridge.errors import UsageError


def test_a_timer_calls_on_the_callback_thread_and_may_be_stopped_there(shared: sync.Board) -> None:
    timer = shared.tmr.create()
    seen: list[object] = []
    done = threading.Event()

    def tick(same: sync.Timer) -> None:
        seen.extend((same, threading.current_thread().name, same.stop()))
        done.set()

    assert timer.alarm(5, shared.tmr.ALARM_AUTO, tick) is True
    assert done.wait(10) and seen[:3] == [timer, "bridge-callbacks", True]
    assert timer.state() == (False, shared.tmr.ALARM_AUTO)
    timer.release()
    assert "closed" in repr(timer) and shared.tmr.now() > 0


def test_what_is_no_function(shared: sync.Board) -> None:
    with pytest.raises(UsageError, match="cannot be called"):
        shared.tmr.create().alarm(5, 0, "print")  # type: ignore[arg-type]
