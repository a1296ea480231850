"""Starts `claimant.py` as a process of its own, for tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.child_python import module_environment
from tests.rack.users import environment, python_for_all, whose

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
def claimant(
    name: str, folder: Path, ttl: float, *urls: str, user: int | None = None, umask: int = 0o22
) -> Iterator[Claimant]:
    """Run one to the end of the block; it is killed if it is still there.

    Args:
        name: of its tokens and its purpose.
        folder: of locks and records.
        ttl: of its leases, in seconds.
        urls: of the rack's ports.
        user: whose process it is, by number; by default this one's. Only root can start another's.
        umask: of the process.
    """
    python, where = (sys.executable, module_environment()) if user is None else (python_for_all() or "", environment())
    process = subprocess.Popen(
        [python, str(Path(__file__).with_name("claimant.py")), name, str(folder), str(ttl), *urls],
        stdin=-1, stdout=-1, text=True, env=where, cwd=ROOT, umask=umask, **whose(user),
    )  # fmt: skip
    try:
        yield Claimant(process)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            stream.close()
