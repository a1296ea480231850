"""Plays recordings of stock firmware on virtual boards, several at once, each on its own board and addresses.

The playing and the comparison are those of `scenarios/play.py`, unchanged. A scenario mostly waits for a quiet line, so
many fit beside each other on two cores. What happened to the recorder (`mishap.py`) happens again in the replay.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.ground_truth.mishap import Mishap, mishaps
from tests.ground_truth.standstill import StandstillWatch

HERE = Path(__file__).parent
#: The MAC address of the board that was recorded.
MAC = "5c:cf:7f:ab:cd:ef"
#: How many scenarios are played at once.
PARALLEL = 10


#: Folders of recordings that can be played, and the flags of the board that they are played on.
BOARDS = {"recordings": ("--lua", "5.1"), "recordings-lua53": ("--lua", "5.3")}


@dataclass(frozen=True)
class Recording:
    """One file of a folder of recordings."""

    folder: str
    name: str

    @property
    def seconds(self) -> float:
        """How long the recording took; playing it takes about as long."""
        return max((float(step.get("t", 0)) for step in self.steps()), default=0.0)

    def steps(self) -> list[dict[str, Any]]:
        """What was sent, received and noted, in order."""
        steps: list[dict[str, Any]] = json.loads((HERE / self.folder / f"{self.name}.json").read_text()).get(
            "steps", []
        )
        return steps

    def __str__(self) -> str:
        return f"{self.folder}/{self.name}"


@dataclass(frozen=True)
class Verdict:
    """What came of one scenario.

    Attributes:
        same: the board answered as recorded (or as differently as stock firmware itself does from run to run).
        varies: it answered otherwise, as stock firmware itself does from run to run (play.py's list).
        late: the player heard nothing at some step where something was recorded, a process of this machine stood
            still meanwhile, or the board had a peer. Then a difference may be the machine's.
        text: what play.py says about it, with the first difference, and what the board's process complained about.
    """

    same: bool
    varies: bool
    late: bool
    text: str


@functools.cache
def _play_py() -> dict[str, Any]:
    """Tables that play.py keeps: names of what varies from run to run and what cannot be played, and its masks."""
    tree = ast.parse((HERE / "scenarios" / "play.py").read_text())
    return {
        target.id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(target := node.targets[0], ast.Name)
        if target.id in ("VARIES", "NEEDS_LINK", "DATA", "MASKS")
    }


#: What play.py's masks hit or miss by chance: a time whose fraction looks like a heap figure, and a peer's port that
#: this machine chose below 30000 or above 49999.
CHANCE = [(r"(?<=\t)\d+\.\d{3,}", "<time>"), (r"(?<=\t)\d{5}(?=\t10\.77\.0\.1\r)", "<heap-or-port>")]


def _wholes(recording: Recording, answer: Path, flushed: int = 0) -> list[str]:
    """The whole answers, recorded and given, masked, however they were split over sends.

    The first `flushed` bytes of what was given are left out: the recorder's player threw them away.
    """
    wholes = []
    for steps, lost in ((recording.steps(), 0), (json.loads(answer.read_text())["steps"], flushed)):
        text = "".join(step.get("recv", "") for step in steps)[lost:]
        for pattern, put in [*CHANCE, *_play_py()["MASKS"]]:
            text = re.sub(pattern, put, text)
        wholes.append(text)
    return wholes


def _missed(recording: Recording, answer: Path) -> bool:
    """True if the player went on from some send without an answer, where the recorder's had one."""
    heard: list[list[str]] = []
    for steps in (recording.steps(), json.loads(answer.read_text())["steps"]):
        answers = [""]
        for step in steps:
            if "send" in step:
                answers.append("")
            answers[-1] += step.get("recv", "")
        heard.append(answers)
    return any(recorded and not given for recorded, given in zip(*heard, strict=False))


def _first_difference(wholes: list[str]) -> str:
    """Where the whole answers part; play.py shows the first send that differs."""
    at = len(os.path.commonprefix(wholes))
    one, other = (text[max(0, at - 60) : at + 120] for text in wholes)
    return f"the whole answers part after {at} characters:\n   recorded  {one!r}\n   this one  {other!r}"


def _scenario_names() -> set[str]:
    sources = "\n".join(path.read_text() for path in (HERE / "scenarios").glob("*.py"))
    return set(re.findall(r"^@n?test\(['\"](\w+)['\"]", sources, re.MULTILINE))


def playable() -> list[Recording]:
    """The recordings that play.py can play on a virtual board."""
    tables, scenarios = _play_py(), _scenario_names()
    found = []
    for folder in BOARDS:
        for path in sorted((HERE / folder).glob("*.json")):
            recording = Recording(folder, path.stem)
            instrumented = any("host." in step.get("send", "") for step in recording.steps())
            if path.stem in scenarios and not instrumented and path.stem not in tables["DATA"] | tables["NEEDS_LINK"]:
                found.append(recording)
    return found


def play(recording: Recording, place: int, out: Path) -> Verdict:
    """Play one scenario on a virtual board of its own.

    Args:
        recording: which.
        place: a number below 250 that no scenario played at the same time shares; it chooses the addresses.
        out: folder for the answers and logs; made if need be.
    """
    folder, name = recording.folder, recording.name
    out.mkdir(parents=True, exist_ok=True)
    network = f"127.{200 + os.getpid() % 50}.{place + 1}"
    peer, node, dns_port = f"{network}.1", f"{network}.2", 5300 + place
    mishap = mishaps().get(str(recording), Mishap(""))
    program = ["bridge.cli", "virtual"]
    if mishap.stalls:
        stalls = ",".join(str(stall.stall(recording.steps())) for stall in mishap.stalls)
        program = ["tests.ground_truth.stalled_board", "--stalls", stalls]
    board = [sys.executable, "-m", *program, "--pty", str(out / "pty"), "--address", node, "--mac", MAC]
    board += ["--dns", f"{peer}:{dns_port}", *BOARDS[folder]]
    environment = dict(os.environ, BOARD_CMD=" ".join(board), PEER=peer, NODE=node, DNS_PORT=str(dns_port))
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [sys.executable, str(HERE / "scenarios" / "play.py"), "--verbose", "--timeout", "300"]
    command += ["--recordings", str(HERE / folder), "--out", str(out), name]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    said = run.stdout.strip()
    answer = out / f"{name}.json"
    stopped = "scenario stopped" in json.loads(answer.read_text())["comment"] if answer.exists() else True
    same, parts, late = not stopped and f"{name}: same" in said, "", False
    if not same and not stopped:
        # A peer's writes are in segments of their own or in one, as its process and the board's take turns here.
        late = _missed(recording, answer) or recording.name.startswith("net_")
        one, other = wholes = _wholes(recording, answer, mishap.flushed)
        same, parts = one == other, _first_difference(wholes)
    # Where the recorder's mishap is known, a replay with it has nothing to vary by.
    varies = not same and not stopped and "(not counted)" in said and not mishap.why
    log = out / "board.log"
    complaints = log.read_text(errors="replace")[-2000:] if log.exists() else ""
    return Verdict(
        same or varies, varies, late, "\n".join(part for part in (said, parts, run.stderr.strip(), complaints) if part)
    )


class Player:
    """Plays scenarios in the background, the longest first."""

    def __init__(self, recordings: list[Recording], out: Path) -> None:
        """Start playing.

        Args:
            recordings: which; each gets a board, addresses and a folder of its own.
            out: folder for the answers.
        """
        self._out = out
        self._watch = StandstillWatch()
        self._pool = ThreadPoolExecutor(PARALLEL)
        self._places = {
            recording: place
            for place, recording in enumerate(sorted(recordings, key=lambda recording: -recording.seconds))
        }
        self._verdicts: dict[Recording, Future[Verdict]] = {
            recording: self._pool.submit(self._play, recording, out) for recording in self._places
        }

    def verdict(self, recording: Recording) -> Verdict:
        """What came of a scenario; waits until it has been played."""
        return self._verdicts[recording].result()

    def alone(self, recording: Recording) -> Verdict:
        """Play a scenario once more when all others have ended.

        Meant for a difference that may be the machine's (`Verdict.late`): a scenario listens for 0.08 to 0.25 s, on the
        clock on the wall, and goes on without an answer from a board whose process is not run for so long.
        """
        wait(self._verdicts.values())
        return self._play(recording, self._out / "alone")

    def close(self) -> None:
        """Forget scenarios that have not begun, and wait for the others."""
        self._pool.shutdown(cancel_futures=True)
        self._watch.close()

    def _play(self, recording: Recording, out: Path) -> Verdict:
        begin = time.monotonic()
        verdict = play(recording, self._places[recording], out / recording.folder / recording.name)
        stood = self._watch.within(begin, time.monotonic())
        if verdict.same or not stood:
            return verdict
        text = f"{verdict.text}\nthis machine stood still for {stood:.2f} s while it was played"
        return dataclasses.replace(verdict, late=True, text=text)
