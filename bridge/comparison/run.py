"""One comparison from end to end."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as xml
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bridge.comparison import calibration, facts, scenarios, transcript
from bridge.comparison.console import Console
from bridge.comparison.facts import Facts
from bridge.comparison.report import FailedTest, Report
from bridge.comparison.restart import HOLD_S, has_lines
from bridge.comparison.scenarios import Answer, Scenario
from bridge.errors import BridgeError
from bridge.ports.open import open_port
from bridge.trace.secrets import discreet_text

#: How many virtual boards play scenarios at once: they mostly wait.
PARALLEL = 6
#: Where a default virtual board comes from.
VIRTUAL = "virtual:"


@dataclass(frozen=True)
class Survey:
    """What was asked of a board before anything was played on it.

    Attributes:
        facts: what it is.
        lines: whether its port can reset it by DTR and RTS.
        files: whether it has files of its own.
        figures: how fast it computes (`calibration.measure`).
        hold_s: as for `bridge.comparison.restart.restart`.
    """

    facts: Facts
    lines: bool
    files: bool
    figures: dict[str, float]
    hold_s: float | None


async def survey(url: str, hold_s: float | None = HOLD_S, *, measure: bool = False) -> Survey:
    """Reset the board at a port and ask it what it is.

    Args:
        url: the port.
        hold_s: as for `bridge.comparison.restart.restart`.
        measure: also measure how fast it computes.

    Raises:
        BridgeError: the port cannot be opened, or no prompt answers on it.
    """
    port = await open_port(url)
    try:
        console = Console(port)
        found = await facts.gather(console, hold_s)
        files = "file" in found.modules and await console.ask("next(file.list())~=nil") == "true"
        figures = await calibration.measure(console, found) if measure else {}
        return Survey(found, await has_lines(port, hold_s), files, figures, hold_s)
    finally:
        await port.close()


def why_not(scenario: Scenario, board: Survey) -> str:
    """Why a scenario cannot be played on a board, "" if it can."""
    if scenario.name in scenarios.LEAVES_NO_PROMPT and not board.lines:
        return "it leaves the board without a prompt, and this port has no lines to reset it by"
    if scenario.name in scenarios.WRITES_FILES and board.files:
        return "it writes files, and the board has files of its own"
    return ""


def play_all(
    chosen: Sequence[Scenario], url: str, out: Path, say: Callable[[str], None], hold_s: float | None = HOLD_S
) -> dict[str, Answer]:
    """Play scenarios on the board at a port: one after the other, or side by side on boards made for each.

    Args:
        chosen: which.
        url: the port.
        out: folder for the answers.
        say: called with the name of each scenario that was played.
        hold_s: as for `bridge.comparison.restart.restart`.
    """
    answers: dict[str, Answer] = {}
    with ThreadPoolExecutor(PARALLEL if url.startswith("virtual:") else 1) as pool:
        for scenario, answer in zip(
            chosen, pool.map(lambda each: scenarios.play(each, url, out / each.name, hold_s), chosen), strict=True
        ):
            say(scenario.name)
            answers[scenario.name] = answer
    return answers


def run_tests(url: str, tests: Path, out: Path, report: Report) -> None:
    """Run tests/hil on the board at a port and put what came of it into the report.

    Args:
        url: the port.
        tests: the folder tests/hil of a checkout.
        out: folder for pytest's own report.
        report: gets the numbers and the failed tests.

    Raises:
        BridgeError: pytest itself could not run.
    """
    result = out / "hil.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={result}"]
    run = subprocess.run(
        [*command, str(tests), "--board", url], cwd=tests.parent.parent, capture_output=True, text=True, env=os.environ
    )
    (out / "hil.log").write_text(run.stdout + run.stderr)
    if run.returncode not in (0, 1) or not result.exists():
        raise BridgeError(f"The tests could not be run: {(run.stdout + run.stderr).strip().splitlines()[-1]}", port=url)
    for case in xml.parse(result).getroot().iter("testcase"):
        bad = case.find("failure") if case.find("failure") is not None else case.find("error")
        if bad is not None:
            said = discreet_text(bad.get("message", "")).strip()
            report.tests.append(FailedTest(case.get("name", ""), said.splitlines()[0]))
        elif case.find("skipped") is not None:
            report.tests_skipped += 1
        else:
            report.tests_passed += 1


def compare_scenarios(
    chosen: Sequence[Scenario], board: Survey, url: str, out: Path, report: Report, say: Callable[[str], None]
) -> None:
    """Play scenarios on a board and on a virtual board like it, and put the differences into the report.

    Args:
        chosen: which.
        board: what is known of the board.
        url: its port.
        out: folder for the answers of both.
        report: gets what came of it.
        say: called with progress, a line at a time.
    """
    for scenario in chosen:
        if reason := why_not(scenario, board):
            report.not_played[scenario.name] = reason
    playable = [scenario for scenario in chosen if scenario.name not in report.not_played]
    virtual = play_all(playable, report.equal_board, out / "virtual", lambda name: say(f"{name} on a virtual board"))
    played = play_all(playable, url, out / "board", lambda name: say(f"{name} on the board"), board.hold_s)
    for scenario in playable:
        name, one, other = scenario.name, played[scenario.name], virtual[scenario.name]
        if one.path is None or other.path is None:
            report.not_played[name] = one.trouble or f"on the virtual board: {other.trouble}"
            continue
        different = transcript.difference(name, one.path, other.path)
        if different is None:
            report.same.append(name)
        elif name in transcript.VARIES:
            report.varied.append(name)
        else:
            report.scenarios.append(different)
