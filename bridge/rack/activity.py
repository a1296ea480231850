"""What is done on a leased board at the moment, told by who holds it: for people who watch, and for nothing else.

A file beside the board's lock, each user's own, written when a test begins and ends. It says nothing of whether the
board is held; a file that the holder of now has not written counts for nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bridge.rack.board_lock import bases
from bridge.rack.model import Place
from bridge.rack.record import write_record
from bridge.rack.state import board_key

_KIND = ".doing"


@dataclass(frozen=True)
class Activity:
    """What is done on a board.

    Attributes:
        pid: of the process that does it.
        doing: a few words, such as the name of a test; None between two.
        since: seconds since the epoch.
        heap: free bytes when it began, or ended; None if nobody knows.
    """

    pid: int
    doing: str | None
    since: float
    heap: int | None = None


def tell_activity(folder: Path, place: Place, doing: str | None, heap: int | None = None) -> None:
    """Say what this process does on a board that it holds. What cannot be written is not told.

    Args:
        folder: of the rack's locks and records (`Rack.folder`).
        place: where the board is.
        doing: a few words; None if nothing is done.
        heap: free bytes.
    """
    if place.is_virtual:
        return
    activity = Activity(os.getpid(), None if doing is None else doing[:400], round(time.time(), 3), heap)
    with contextlib.suppress(OSError):
        write_record(str(folder / f"{board_key(place)}.{os.getuid()}"), asdict(activity), _KIND)


def activity_of(folder: Path, place: Place, pid: int) -> Activity | None:
    """What the holder of a board has said last.

    Args:
        folder: of the rack's locks and records.
        place: where the board is.
        pid: of the process that holds it.
    """
    for base in bases(str(folder), board_key(place)):
        try:
            # Another user may have put anything there.
            descriptor = os.open(base + _KIND, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(descriptor, encoding="utf-8") as file:
                told: Any = json.loads(file.read(1 << 16))
            found = Activity(
                int(told["pid"]), None if told["doing"] is None else str(told["doing"]), float(told["since"]),
                None if told["heap"] is None else int(told["heap"]),
            )  # fmt: skip
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            continue
        if found.pid == pid:
            return found
    return None
