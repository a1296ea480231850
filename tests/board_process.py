"""A virtual board as a process of its own, for tests that run other programs on it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

COMMAND = [sys.executable, "-m", "bridge.cli", "virtual"]


@contextmanager
def board_process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run `nodemcu-bridge virtual …`, and see that it ends cleanly and says nothing unasked."""
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            out, err = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert (process.returncode, out, err) == (0, "", ""), (process.returncode, out, err)


def announced(process: subprocess.Popen[str]) -> list[str]:
    """The words of the next line it prints: `PTY <path>` or `RFC2217 <url>`."""
    assert process.stdout is not None
    return process.stdout.readline().split()
