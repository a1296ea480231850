"""bridge/comparison/portpty.py: a port as a pseudo-terminal."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
import tty

import pytest

COMMAND = [sys.executable, "-m", "bridge.comparison.portpty"]


def read_until(terminal: int, words: bytes) -> bytes:
    heard = b""
    deadline = time.monotonic() + 30
    while words not in heard and time.monotonic() < deadline:
        if select.select([terminal], [], [], 1)[0]:
            heard += os.read(terminal, 4096)
    return heard


def test_a_board_is_freshly_booted_behind_the_terminal() -> None:
    with subprocess.Popen([*COMMAND, "virtual:"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        word, path = process.stdout.readline().split()
        assert word == "PTY"
        terminal = os.open(path, os.O_RDWR | os.O_NOCTTY)
        try:
            tty.setraw(terminal)
            assert read_until(terminal, b"> ").lstrip(b"\r\n").startswith(b"NodeMCU ")
            os.write(terminal, b"=6*7\r\n")
            assert read_until(terminal, b"42\r\n> ").endswith(b"42\r\n> ")
        finally:
            os.close(terminal)
        process.terminate()
        assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ([], 2, "usage:"),
        (["virtual:", "soon"], 2, "soon is not a number of milliseconds"),
        (["no-such-port"], 1, "no-such-port"),
        (["virtual:?no=1"], 2, "no"),
    ],
)
def test_bad_input_is_one_sentence(arguments: list[str], status: int, words: str) -> None:
    run = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout) == (status, "")
    assert words in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
