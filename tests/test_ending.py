"""A program that is ended by a signal, on a real process: it cleans up, and says by its exit code what ended it."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bridge.ending import run

#: Waits in vain, in each of the ways that programs do.
PROGRAM = """
import asyncio, signal, sys, time
from bridge.ending import run, signals_obeyed
from bridge.virtual import clock

async def work():
    print("ready", flush=True)
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await asyncio.sleep(0.01)
        sys.stdin.readline()
        print("clean", flush=True)

async def ticking():
    async def forever():
        while True:
            await asyncio.sleep(1)
    ticks = asyncio.ensure_future(forever())
    await work()

def wait():
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        print("clean", flush=True)

with signals_obeyed() as ending:
    try:
        {how}
    except KeyboardInterrupt:
        sys.exit(ending.exit_code)
"""
ASYNC, CLOCK, PLAIN = "run(work())", "run(ticking(), lambda main: clock.run(main, limit=1e9))", "wait()"


@contextmanager
def program(how: str, *, ignoring: str = "") -> Iterator[subprocess.Popen[str]]:
    """The program, waiting."""
    code = f"import signal\n{ignoring}\n{PROGRAM.format(how=how)}"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        yield process


@pytest.mark.parametrize("how", [ASYNC, PLAIN])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_it_cleans_up_and_says_what_ended_it(how: str, number: signal.Signals, code: int) -> None:
    with program(how) as process:
        process.send_signal(number)
        out, _ = process.communicate("\n", timeout=60)
    assert (out, process.returncode) == ("clean\n", code)


def test_a_program_on_the_virtual_clock() -> None:
    with program(CLOCK) as process:
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate("\n", timeout=60)
    assert (out, process.returncode) == ("clean\n", 143)


def test_a_second_one_does_not_end_the_cleaning() -> None:
    with program(ASYNC) as process:
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate("\n", timeout=60)
    assert out == "clean\n" and process.returncode in (129, 143)


def test_what_is_ignored_stays_ignored() -> None:
    # As under nohup; and as in a script's background, where Ctrl-C is ignored and SIGTERM is not.
    ignoring = "for each in (signal.SIGHUP, signal.SIGINT): signal.signal(each, signal.SIG_IGN)"
    with program(ASYNC, ignoring=ignoring) as process:
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate("\n", timeout=60)
    assert (out, process.returncode) == ("clean\n", 143)


def test_who_cancels_without_a_signal_is_told_so() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run(cancelled())
