"""Starts `claimant.py` as a process of its own, for tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.child_python import module_environment

ROOT = Path(__file__).parents[2]


class Claimant:
    """A process that claims boards."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def say(self, *words: object) -> None:
        """Tell it to do something."""
        assert self.process.stdin is not None
        print(*words, file=self.process.stdin, flush=True)

    def hear(self) -> list[str]:
        """The words of what it says next."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().split()

    def ask(self, *words: object) -> list[str]:
        """Tell it to do something, and hear what it says."""
        self.say(*words)
        return self.hear()


@contextmanager
def claimant(name: str, folder: Path, ttl: float, *urls: str) -> Iterator[Claimant]:
    """Run one to the end of the block; it is killed if it is still there."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("claimant.py")), name, str(folder), str(ttl), *urls],
        stdin=-1, stdout=-1, text=True, env=module_environment(), cwd=ROOT,
    )  # fmt: skip
    try:
        yield Claimant(process)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            stream.close()
