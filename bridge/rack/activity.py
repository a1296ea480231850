"""What is done on a leased board at the moment, told by who holds it: for people who watch, and for nothing else.

A file beside the board's lock, each user's own, written when a test begins and ends. It says nothing of whether the
board is held; a file that the holder of now has not written counts for nothing.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from bridge.rack.board_lock import bases
from bridge.rack.model import Place
from bridge.rack.record import write_record
from bridge.rack.state import board_key
from bridge.rack.told import plain, read_told, seconds, whole

_KIND = ".doing"
#: Characters of what is done.
_SHOWN = 400


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
    activity = Activity(os.getpid(), None if doing is None else doing[:_SHOWN], round(time.time(), 3), heap)
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
        told = read_told(base + _KIND) or {}
        since = seconds(told.get("since"))
        if whole(told.get("pid")) == pid and since is not None:
            return Activity(pid, plain(told.get("doing"), _SHOWN), since, whole(told.get("heap")))
    return None
