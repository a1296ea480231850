from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from bridge.errors import UsageError
from bridge.portal import Portal, portal


def test_calls_and_callbacks_have_threads_of_their_own() -> None:
    door = Portal()
    try:

        async def where() -> tuple[str, str]:
            called = await door.callback(lambda: threading.current_thread().name)
            return threading.current_thread().name, called

        assert door.call(where()) == ("bridge-loop", "bridge-callbacks")
    finally:
        door.stop()


def test_errors_come_through_and_a_callback_may_call_back() -> None:
    door = Portal()
    try:

        async def fail() -> None:
            raise ValueError("loop")

        async def fail_there() -> None:
            await door.callback(int, "x")

        async def deep() -> int:
            return await door.callback(lambda: door.call(asyncio.sleep(0, 7)))

        with pytest.raises(ValueError, match="loop"):
            door.call(fail())
        with pytest.raises(ValueError, match="invalid literal"):
            door.call(fail_there())
        assert door.call(deep()) == 7
    finally:
        door.stop()


def test_what_is_asked_runs_within_the_call_of_a_callback_and_others_wait_for_its_end() -> None:
    door = Portal()
    try:
        ran: list[str] = []

        async def both() -> int:
            other = asyncio.ensure_future(door.callback(ran.append, "other"))
            asked = await door.callback(lambda: ran.append("asked") or 5, asked=True)
            ran.append("answered")
            await asyncio.sleep(0.01)
            return asked + other.done()

        async def from_a_callback() -> int:
            return await door.callback(lambda: door.call(both()))

        assert door.call(from_a_callback()) == 5
        door.call(door.callback(int))
        assert ran == ["asked", "answered", "other"]
        assert door.call(door.callback(int, "7", asked=True)) == 7
    finally:
        door.stop()


def test_a_handler_that_leaves_the_program_ends_no_thread() -> None:
    door = Portal()
    try:

        async def leave() -> int:
            with pytest.raises(RuntimeError, match="SystemExit"):
                await door.callback(sys.exit, 3)
            return await door.callback(lambda: 7)

        assert door.call(leave()) == 7
    finally:
        door.stop()


def test_a_call_from_the_loop_itself_is_refused() -> None:
    door = Portal()
    try:

        async def wrong() -> None:
            door.call(asyncio.sleep(0))

        with pytest.raises(UsageError, match="its own event loop"):
            door.call(wrong())
    finally:
        door.stop()


def test_stopping_closes_what_is_open_and_can_be_done_twice() -> None:
    door = Portal()
    closed: list[str] = []

    async def close(name: str) -> None:
        closed.append(name)

    def first() -> object:
        return close("first")

    def second() -> object:
        return close("second")

    door.at_exit(first)  # type: ignore[arg-type]
    door.at_exit(second)  # type: ignore[arg-type]
    door.forget(first)  # type: ignore[arg-type]
    door.stop()
    door.stop()
    assert closed == ["second"]
    with pytest.raises(UsageError, match="is ending"):
        door.call(asyncio.sleep(0))


INTERRUPTED = """
import asyncio, os, signal, sys
from bridge.portal import portal

async def long() -> None:
    print("begins", flush=True)
    os.kill(os.getpid(), signal.SIGINT)
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0.2)
        print("in order", flush=True)

try:
    portal().call(long())
except KeyboardInterrupt:
    print("interrupted", flush=True)
print(portal().call(asyncio.sleep(0, "on it goes")))
"""


def test_an_interrupt_waits_until_things_are_in_order() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=60)
    assert (done.stdout.splitlines(), done.stderr) == (["begins", "in order", "interrupted", "on it goes"], "")


@pytest.mark.parametrize("begun", [False, True])
def test_an_interrupt_in_the_moment_in_which_it_begins(begun: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    door = Portal()
    begin = door.loop.call_soon_threadsafe
    calls: list[Callable[..., object]] = []

    def interrupted(callback: Callable[..., object], *values: object) -> object:
        calls.append(callback)
        if len(calls) > 1 or begun:
            begin(callback, *values)  # type: ignore[arg-type]
        if len(calls) == 1:
            raise KeyboardInterrupt
        return None

    async def long() -> None:
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(door.loop, "call_soon_threadsafe", interrupted)
        work = long()
        with pytest.raises(KeyboardInterrupt):
            door.call(work)
    assert inspect.getcoroutinestate(work) == inspect.CORO_CLOSED
    assert len(calls) == 2
    assert door.call(asyncio.sleep(0, 42)) == 42
    door.stop()


FORKED = """
import os, sys, warnings
import bridge.sync
from bridge.errors import UsageError

warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 has one for a fork with threads
board = bridge.sync.open_board("virtual:?cpu=0&baud_pacing=0")
child = os.fork()
if not child:
    try:
        board.eval("1")
    except UsageError as error:
        print(error, flush=True)
    sys.exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), board.eval("6*7"))
"""


def test_a_fork_does_not_wait_for_threads_that_it_has_not() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=60)
    said, parent = done.stdout.splitlines()
    assert "before this process was forked" in said and (parent, done.stderr) == ("7 42", "")


def test_there_is_one_per_process() -> None:
    assert portal() is portal()


def test_a_program_that_forgets_to_close_ends_cleanly() -> None:
    program = (
        "import bridge.sync\n"
        "board = bridge.sync.open_board('virtual:?cpu=0&baud_pacing=0')\n"
        "timer = board.lua.tmr.create()\n"
        "print(board.eval('6*7'))\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "42\n", "")


def test_a_loop_that_starts_slowly_is_waited_for() -> None:
    class Slow(Portal):
        def _run_loop(self) -> None:
            threading.Event().wait(0.1)
            super()._run_loop()

    door = Slow()
    try:
        assert door.call(asyncio.sleep(0, 5)) == 5
    finally:
        door.stop()
