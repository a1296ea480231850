"""Playing the console scenarios of tests/ground_truth on a board at any port."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.comparison.restart import HOLD_S
from bridge.errors import UsageError

#: Files of scenarios that need no network peer.
FILES = ("console.py", "uart.py")
#: Scenarios that write files: played only on a board without files of its own.
WRITES_FILES = {"file_init"}
#: Scenarios that leave a board without a prompt: played only where lines can reset it.
LEAVES_NO_PROMPT = {
    "task_overflow_low_repl",
    "uarton_args",
    "uarton_endchar_digit",
    "uarton_n0_raw",
    "uarton_n1_raw",
    "uarton_n255_raw",
    "uarton_n_small_after_long",
    "uarton_restore_midline",
    "uarton_switch_line_pending",
}
#: Longest time in seconds for one scenario, its reset included.
LIMIT_S = 120.0


@dataclass(frozen=True)
class Scenario:
    """One scenario and the file that it stands in."""

    name: str
    file: Path
    comment: str


@dataclass(frozen=True)
class Answer:
    """What came of playing a scenario on one board.

    Attributes:
        path: JSON file of the answers, or None if it was not played to its end.
        trouble: one sentence, why not; "" if it was.
    """

    path: Path | None
    trouble: str = ""


def find(folder: Path, names: Sequence[str] | None = None) -> list[Scenario]:
    """The console scenarios in a folder, in the order of their files.

    Args:
        folder: tests/ground_truth/scenarios of a checkout.
        names: only these, or None for all.

    Raises:
        UsageError: a name is not a scenario, or the folder holds none.
    """
    found = []
    for file in FILES:
        if (folder / file).exists():
            text = (folder / file).read_text()
            for name, comment in re.findall(r"^@test\(['\"](\w+)['\"],\s*(['\"].*['\"])", text, re.MULTILINE):
                found.append(Scenario(name, folder / file, comment.strip("'\"")))
    if not found:
        raise UsageError(f"There are no scenarios in {folder}", remedy="Run it from a checkout of the project.")
    if names is None:
        return found
    unknown = sorted(set(names) - {scenario.name for scenario in found})
    if unknown:
        known = ", ".join(scenario.name for scenario in found)
        raise UsageError(f"{unknown[0]} is not a console scenario", remedy=f"Known: {known}.")
    return [scenario for scenario in found if scenario.name in names]


def play(scenario: Scenario, url: str, out: Path, hold_s: float | None = HOLD_S) -> Answer:
    """Play one scenario on the board at a port; the board is reset before it.

    Args:
        scenario: which.
        url: the port.
        out: folder for the answers and the adapter's log; made if need be.
        hold_s: as for `bridge.comparison.restart.restart`.
    """
    out.mkdir(parents=True, exist_ok=True)
    hold_ms = "none" if hold_s is None else f"{hold_s * 1000:g}"
    board = shlex.join([sys.executable, "-m", "bridge.comparison.portpty", url, hold_ms])
    environment = dict(os.environ, BOARD_CMD=board, OUT=str(out), PYTHONPATH=_search_path(scenario.file.parent))
    command = [sys.executable, str(scenario.file), scenario.name]
    try:
        run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return Answer(None, f"it did not end within {LIMIT_S:.0f} s")
    path = out / f"{scenario.name}.json"
    if not path.exists():
        log = out / "board.log"
        said = log.read_text(errors="replace").strip() if log.exists() else ""
        return Answer(None, (said or run.stderr.strip() or "the board gave no answer").splitlines()[-1])
    stopped = re.search(r"\[scenario stopped: (.*)\]$", json.loads(path.read_text())["comment"])
    return Answer(None, f"it stopped half-way: {stopped[1]}") if stopped else Answer(path)


def _search_path(folder: Path) -> str:
    return os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")]))
