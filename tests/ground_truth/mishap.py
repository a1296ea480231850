"""What happened to the recorder in some recordings, so that a replay can let it happen again.

The list, and what its words mean, is in `known_differences.yaml`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.ground_truth.stalled_board import Stall

HERE = Path(__file__).parent


@dataclass(frozen=True)
class StandStill:
    """The recorder's process stood still. Steps of the recording are counted from 0.

    Attributes:
        start: the step whose first byte came when it stood still already.
        end: the step whose last byte came before it went on; None if it never did.
    """

    start: int
    end: int | None

    def stall(self, steps: list[dict[str, Any]]) -> Stall:
        """The same in bytes that the board received since it has power."""
        before = [0]
        for step in steps:
            before.append(before[-1] + len(step.get("send", "")))
        return Stall(before[self.start] + 1, None if self.end is None else before[self.end + 1])


@dataclass(frozen=True)
class Mishap:
    """What happened to the recorder in one recording.

    Attributes:
        why: how the recording shows it.
        stalls: when its process stood still.
        flushed: how many bytes of the boot text its player threw away when it set the terminal up.
    """

    why: str
    stalls: tuple[StandStill, ...] = ()
    flushed: int = 0


@functools.cache
def known_differences() -> dict[str, dict[str, str]]:
    """Recordings that the virtual board is known not to equal: list, then name and reason."""
    return {title: entries for title, entries in _file().items() if title != "recorder"}


@functools.cache
def mishaps() -> dict[str, Mishap]:
    """What happened to the recorder, by folder and name of the recording."""
    found = {}
    for name, entry in _file()["recorder"].items():
        stalls = tuple(
            StandStill(each["from"], None if each["until"] == "never" else each["until"])
            for each in entry.get("stalls", ())
        )
        found[name] = Mishap(entry["why"], stalls, entry.get("flushed", 0))
    return found


@functools.cache
def _file() -> dict[str, Any]:
    contents: dict[str, Any] = yaml.safe_load((HERE / "known_differences.yaml").read_text(encoding="utf-8"))
    return contents
