"""All of tests/hil on each kind of firmware, as somebody with that board would run it.

On Lua 5.1 with floats, the default, it runs with all other tests. Skips are counted here: each one that is not known
fails, so that none hides what does not work.
"""

from __future__ import annotations

import asyncio
import os
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import pytest

from tests.test_layers import ROOT

#: What to run on, and how many tests are skipped there for which reason.
BOARDS: dict[str, dict[str, int]] = {
    "virtual:?number=integer": {},
    "virtual:?lua=5.3": {},
    # Functions that 2.x has not; files are written and read by those that both have. Its TLS is none that is made here.
    "virtual:?firmware=2.2.1": {
        "the board's firmware has no file.getcontents": 1,
        "the board's firmware has no net.ifinfo": 1,
        "the board's firmware has no net.ping": 1,
        "the board's firmware has no node.setonerror": 1,
        "the board's firmware has no node.startup": 1,
        "the board's firmware has no uart.fifodepth": 1,
        "the board's firmware has no tls": 17,
    },
}
#: Tests at least, so that a run that collects none is none that passes.
AT_LEAST = 30


#: Differ from the default in arithmetic or in the virtual machine, whose recordings run with all other tests.
NIGHTLY = ["virtual:?number=integer", "virtual:?lua=5.3"]


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "boards",
    [[board for board in BOARDS if board not in NIGHTLY], pytest.param(NIGHTLY, marks=pytest.mark.nightly)],
    ids=["daily", "nightly"],
)
def test_all_of_it_passes_on_each_kind_of_board(boards: list[str], tmp_path: Path) -> None:
    async def main() -> list[str]:
        reports = [tmp_path / f"{number}.xml" for number in range(len(boards))]
        said = await asyncio.gather(*(_run(board, report) for board, report in zip(boards, reports, strict=True)))
        return [
            fault
            for board, report, text in zip(boards, reports, said, strict=True)
            for fault in _faults(board, BOARDS[board], report, text)
        ]

    assert not (faults := asyncio.run(main())), "\n".join(faults)


async def _run(board: str, report: Path) -> str:
    # Nothing of the run around this one is for that one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "tests/hil"),
        *("--board", board, f"--junitxml={report}"),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    return out.decode()


def _faults(board: str, skips: dict[str, int], report: Path, said: str) -> list[str]:
    """What is wrong with a run, in sentences."""
    if not report.exists():
        return [f"{board} made no report:\n{said}"]
    cases = list(ElementTree.parse(report).iter("testcase"))
    failed = [case.get("name") for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = Counter(str(skip.get("message")) for case in cases if (skip := case.find("skipped")) is not None)
    faults = []
    if failed:
        faults.append(f"{board}: {', '.join(map(str, failed))} failed:\n{said}")
    if skipped != skips:
        faults.append(f"{board}: skipped is {dict(skipped)}, known is {skips}")
    if len(cases) < AT_LEAST:
        faults.append(f"{board}: only {len(cases)} tests")
    return faults
