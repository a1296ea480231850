"""Signals to a real `nodemcu-bridge virtual` whose Lua goes on for ever."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest
import serial

from bridge.virtual.signal_thread import AT_ONCE
from tests.board_process import COMMAND, announced, board_process

FEEDS_THE_WATCHDOG = b"while true do tmr.wdclr() end"
#: What no hook of the VM interrupts, by version of Lua.
UNINTERRUPTED = [
    ("5.1", b"=string.find(('a'):rep(200), ('a?'):rep(200)..('a'):rep(200))"),
    ("5.1", b"p=newproxy(true) getmetatable(p).__gc=function() while true do end end p=nil collectgarbage()"),
    ("5.3", b"setmetatable({},{__gc=function() while true do end end}) collectgarbage()"),
]


def spin(process: subprocess.Popen[str], path: str, line: bytes) -> None:
    """Give the board a line, and wait until its process computes for so long that it can be nothing else."""
    with serial.Serial(path, 115200, timeout=10, exclusive=True) as port:
        port.write(line + b"\n")
        port.flush()
        begun = _cpu_time(process)
        while _cpu_time(process) < begun + 50:
            time.sleep(0.01)


def _cpu_time(process: subprocess.Popen[str]) -> int:
    """What the process has computed so far, in hundredths of a second."""
    return int(Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11])


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_loop_that_feeds_the_watchdog_ends_at_the_first_signal(lua: str, number: signal.Signals) -> None:
    with board_process("--pty", "--lua", lua) as process:
        spin(process, announced(process)[1], FEEDS_THE_WATCHDOG)
        process.send_signal(number)
        assert process.wait(20) == 0


@pytest.mark.parametrize(("lua", "line"), UNINTERRUPTED)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_cannot_be_interrupted_ends_at_the_second(lua: str, line: bytes, number: signal.Signals) -> None:
    with subprocess.Popen(
        [*COMMAND, "--pty", "--lua", lua], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            spin(process, announced(process)[1], line)
            # Two signals that are both pending are one; so they are sent until they were two.
            while process.poll() is None:
                process.send_signal(number)
                time.sleep(0.05)
            assert process.returncode == 128 + number
            assert process.communicate(timeout=20) == ("", AT_ONCE.decode())
        finally:
            process.kill()


def test_the_reset_button_works_while_lua_goes_on_for_ever() -> None:
    with board_process("--pty") as process:
        path = announced(process)[1]
        spin(process, path, FEEDS_THE_WATCHDOG)
        with serial.Serial(path, 115200, timeout=20, exclusive=True) as port:
            process.send_signal(signal.SIGUSR1)
            assert b"NodeMCU" in port.read_until(b"\n> ")
            port.write(b"=6*7\n")
            assert port.read_until(b"42\r\n> ").endswith(b"42\r\n> ")
