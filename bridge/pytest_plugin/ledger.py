"""Which test a chunk of Lua is of: its name on the board carries a number of the test, and a mark of the run.

What a run has left behind that was killed errs in a later one, which has tests of the same numbers.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass

_NAME = re.compile(r"t\d+r[0-9a-f]{4}(?:w\d+)?")


@dataclass(frozen=True)
class Entry:
    """A test that has been on a board.

    Attributes:
        nodeid, location: of the test, as its reports have them.
        chunk: name of its chunks.
    """

    nodeid: str
    location: tuple[str, int | None, str]
    chunk: str


class Ledger:
    """The tests of this process that have been on a board, by the name of their chunks.

    Args:
        worker: which of several processes this is, or "" if there is one; boards pass from one to the other.
        run: tells this run from others.
    """

    def __init__(self, worker: str, run: str) -> None:
        self._suffix = f"r{run}" + (f"w{worker.removeprefix('gw')}" if worker else "")
        self._tests: dict[str, Entry] = {}
        self._chunks: dict[str, Entry] = {}
        self._files: dict[str, Entry] = {}

    def enter(self, nodeid: str, location: tuple[str, int | None, str]) -> Entry:
        """A test comes to a board, for the first time or again."""
        entry = self._tests.get(nodeid)
        if entry is None:
            # Short, as it travels with each chunk, and no name that a program would have.
            entry = Entry(nodeid, location, f"t{len(self._tests) + 1}{self._suffix}")
            self._tests[nodeid] = self._chunks[entry.chunk] = entry
        return entry

    def note_files(self, entry: Entry, names: Iterable[str]) -> None:
        """A test has named files of Lua to the board: they are its own from now on."""
        for name in names:
            self._files[name] = entry

    def owner(self, chunks: tuple[str, ...]) -> Entry | None:
        """The test of the first chunk that is one's, or of the file that has such a name."""
        for entries in (self._chunks, self._files):
            for chunk in chunks:
                if chunk in entries:
                    return entries[chunk]
        return None


def is_of_a_test(chunk: str) -> bool:
    """True for a name that the plugin gives, in this process or another."""
    return _NAME.fullmatch(chunk) is not None


def worker_name() -> str:
    """The name of this worker of pytest-xdist, or ""."""
    return os.environ.get("PYTEST_XDIST_WORKER", "")


def run_mark() -> str:
    """Four characters that tell this run from others; all workers of pytest-xdist have the same."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or os.urandom(8).hex()
    return hashlib.sha256(run.encode()).hexdigest()[:4]
