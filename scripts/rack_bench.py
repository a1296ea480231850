"""What the plugin of pytest costs a test on a board that is leased and clean, beside the bare test in the same run.

python scripts/rack_bench.py [--tests 60] [--board URL] [--most MS]

The two kinds of tests do the same (one call) and take turns: one asks for the fixture `board`, the other has a second
board that it opened itself. Both boards are virtual ones, each in a process of its own behind RFC 2217, at the pace of
their line; `--board` puts a real one in place of the first. From the time between the first and the last word of pytest
on each test come a median and a 95th percentile. With `--most` it fails when the medians differ by more.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import entry_points
from pathlib import Path

import pytest

TESTS = """
import pytest
import bridge
from bridge.portal import portal

@pytest.fixture(scope="session")
def bare():
    board = portal().call(open_it())
    yield board
    portal().call(board.close())

async def open_it():
    return await bridge.open_board(URL)

async def call(board):
    assert await board.eval("6*7") == 42

@pytest.mark.parametrize("number", range(COUNT))
class TestCall:
    def test_bare(self, bare, number):
        portal().call(call(bare))

    async def test_plugin(self, board, number):
        await call(board)
"""


class Clock:
    """Times each test, from pytest's first word on it to its last."""

    def __init__(self) -> None:
        self._began = 0.0
        self.seconds: dict[str, list[float]] = {"bare": [], "plugin": []}
        self.failed: list[str] = []

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._began = time.perf_counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(f"{report.nodeid}: {report.longrepr}")

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        kind = "plugin" if "test_plugin" in nodeid else "bare"
        self.seconds[kind].append(time.perf_counter() - self._began)


@contextmanager
def served() -> Iterator[str]:
    """The URL of a virtual board that a process of its own serves."""
    command = [sys.executable, "-m", "bridge.cli", "virtual", "--rfc2217", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield next(line for line in process.stdout if line.startswith("RFC2217 ")).split()[1]
        finally:
            process.kill()


def measure(count: int, board: str | None) -> dict[str, dict[str, float]]:
    """Milliseconds by kind of test: median and 95th percentile; the first test of each, which opens its board, not.

    Args:
        count: tests of each kind.
        board: URL of the board for the plugin, or None for a virtual one.
    """
    clock = Clock()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = board or stack.enter_context(served())
        bare = stack.enter_context(served())
        (folder / "test_bench.py").write_text(TESTS.replace("COUNT", str(count)).replace("URL", repr(bare)))
        options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"--rootdir={folder}", "--board", url]
        known = any(point.value == "bridge.pytest_plugin" for point in entry_points(group="pytest11"))
        status = pytest.main([*options, *([] if known else ["-p", "bridge.pytest_plugin"]), str(folder)], [clock])
    if status != pytest.ExitCode.OK:
        raise SystemExit("\n".join(clock.failed) or f"pytest ended with {status}")
    found = {}
    for kind, all_seconds in clock.seconds.items():
        seconds = sorted(all_seconds[1:])
        found[kind] = {
            "median_ms": round(1000 * statistics.median(seconds), 1),
            "p95_ms": round(1000 * seconds[int(0.95 * (len(seconds) - 1))], 1),
        }
    return found


def main() -> int:
    """Measure and print; 1 if it is more than `--most`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", type=int, default=60, metavar="N", help="tests of each kind (60)")
    parser.add_argument("--board", metavar="URL", help="a board for the plugin, in place of a virtual one")
    parser.add_argument("--most", type=float, metavar="MS", help="fail if the plugin costs more, in the median")
    arguments = parser.parse_args()
    found = measure(arguments.tests, arguments.board)
    costs = round(found["plugin"]["median_ms"] - found["bare"]["median_ms"], 1)
    print(json.dumps({**found, "plugin_costs_ms": costs}, indent=2))
    return 1 if arguments.most is not None and costs > arguments.most else 0


if __name__ == "__main__":
    sys.exit(main())
