"""Virtual boards as processes of their own, on a rack, for runs of pytest inside the tests."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import INSTALLED

#: Options of an inner run: this project's plugin, and nothing that is not needed and takes long to import.
OPTIONS = (
    "-p",
    "no:cacheprovider",
    "-p",
    "no:hypothesispytest",
    *(() if INSTALLED else ("-p", "bridge.pytest_plugin")),
)


@dataclass
class BoardProcess:
    """A virtual board that a process serves."""

    url: str
    process: subprocess.Popen[str]


@contextlib.contextmanager
def served(count: int, *options: str) -> Iterator[list[BoardProcess]]:
    """Virtual boards, each served by RFC 2217 by a process of its own.

    Args:
        count: how many.
        options: of `nodemcu-bridge virtual`, for each.
    """
    command = [sys.executable, "-m", "bridge.cli", "virtual", "--rfc2217", "127.0.0.1:0", *options]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    try:
        found = []
        for process in processes:
            assert process.stdout is not None
            line = next(line for line in process.stdout if line.startswith("RFC2217 "))
            found.append(BoardProcess(line.split()[1], process))
        yield found
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def rack_file(folder: Path, boards: Sequence[BoardProcess], *, more: str = "") -> Path:
    """A rack file of these boards, with its state beside it: shelf-1, shelf-2, ….

    Args:
        folder: for both.
        boards: its places.
        more: keys of each place besides name and port, in YAML's flow form.
    """
    places = "".join(
        f"  - {{name: shelf-{number}, port: '{board.url}'{more}}}\n" for number, board in enumerate(boards, 1)
    )
    path = folder / "rack.yaml"
    path.write_text(f"version: 1\nstate: {folder / 'state'}\nttl: 10\nplaces:\n{places}")
    return path


def run(pytester: pytest.Pytester, *arguments: str | os.PathLike[str]) -> pytest.RunResult:
    """Run the tests of a pytester in a process of its own, with the plugin."""
    return pytester.runpytest_subprocess(*OPTIONS, *arguments, timeout=110)


#: A virtual board that computes and talks in no time, within the process that asks for it.
FAST = "virtual:?baud_pacing=0&adapter_latency_ms=0&cpu=0&flash=0"

#: For an inner run: writes each report, a line of JSON, to `reports.jsonl`.
_NOTED = """
import json

def pytest_runtest_logreport(report):
    facts = getattr(report, "nodemcu", None)
    line = {"id": report.nodeid, "when": report.when, "outcome": report.outcome, "text": str(report.longrepr or ""),
            "facts": facts, "properties": report.user_properties, "sections": [list(each) for each in report.sections]}
    if not hasattr(CONFIG, "workerinput"):
        with open("reports.jsonl", "a") as file:
            file.write(json.dumps(line) + "\\n")

def pytest_configure(config):
    global CONFIG
    CONFIG = config
"""


@dataclass(frozen=True)
class Noted:
    """The reports of an inner run."""

    lines: list[dict[str, Any]]

    def calls(self, name: str) -> list[dict[str, Any]]:
        """The reports on the call of a test, by its name; also late ones, and those of a run that another followed."""
        return [line for line in self.lines if line["id"].endswith(f"::{name}") and line["when"] == "call"]

    def outcomes(self, name: str) -> list[str]:
        """What these said, in order."""
        return [line["outcome"] for line in self.calls(name)]

    def __getitem__(self, name: str) -> dict[str, Any]:
        (line,) = self.calls(name)
        return line


def noted(pytester: pytest.Pytester, *arguments: str | os.PathLike[str]) -> tuple[pytest.RunResult, Noted]:
    """As `run`; returns also what its reports were."""
    conftest = pytester.path / "conftest.py"
    if not conftest.exists():
        conftest.write_text(_NOTED)
    reports = pytester.path / "reports.jsonl"
    reports.unlink(missing_ok=True)
    result = run(pytester, *arguments)
    text = reports.read_text() if reports.exists() else ""
    return result, Noted([json.loads(line) for line in text.splitlines()])
