"""A keeper that stands still itself keeps its lock: who waits for the board ends it. Imported by the keeper.

Its holder's signs of life show in the time of change of its lock's file. A keeper counts as standing still when that is
older than twice the time to live and the system says that the process is stopped; or when this process has itself
watched it not change for so long, as clocks of the wall may jump.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from typing import Any

from bridge.ports.process import lives
from bridge.rack.record import read_record
from bridge.rack.told import plain, seconds, whole

#: Seconds between two looks.
LOOK_S = 1.0


class Watch:
    """Watches the keepers of boards that somebody waits for."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, float]] = {}

    def look(self, base: str) -> str | None:
        """Look at a lock that another process has, and end its keeper if that stands still.

        Args:
            base: path of the lock without its ending.

        Returns:
            What to say of a keeper that stands still and is another user's, or None.
        """
        try:
            said = os.stat(f"{base}.lock", follow_symlinks=False)
        except OSError:
            return None
        changed, owner = said.st_mtime_ns, said.st_uid
        now = time.monotonic()
        before, since = self._seen.get(base, (0, now))
        if before != changed:
            self._seen[base] = changed, now
            since = now
        record = read_record(base) or {}
        ttl, keeper = seconds(record.get("ttl")), whole(record.get("keeper"))
        if ttl is None or keeper is None or keeper <= 1:
            return None
        old = time.time() - changed / 1e9 > 2 * ttl
        if not (old and _state(keeper) in ("T", "t")) and now - since <= 2 * ttl:
            return None
        if not _is_same(keeper, record) or _user(keeper) != owner:
            return None
        try:
            os.kill(keeper, signal.SIGKILL)
        except PermissionError:
            whose = plain(record.get("user"), 40)
            return f"its keeper, PID {keeper} of {whose}, stands still and is to be ended by that user"
        except OSError:
            pass
        return None


def record_of_now(base: str) -> dict[str, Any] | None:
    """The record of a lock that somebody has; None where it is that of a lease before, as after a full disk.

    Args:
        base: path of the lock without its ending.
    """
    record = read_record(base)
    if record is None or record.get("ended") is not None:
        return None
    keeper = whole(record.get("keeper"))
    if keeper is None or not lives(keeper):
        return None
    now = started(keeper)
    return record if now is None or now == record.get("keeper_started") else None


def started(pid: int) -> int | None:
    """When a process began, in the system's ticks since it booted (field 22 of /proc/PID/stat); None if unknown."""
    fields = _fields(pid)
    return int(fields[19]) if len(fields) > 19 else None


def _is_same(pid: int, record: Mapping[str, Any]) -> bool:
    """True if a process is the one that wrote a record: numbers of processes come again."""
    return record.get("keeper_started") is not None and started(pid) == record["keeper_started"]


def _user(pid: int) -> int | None:
    """Whose a process is. Who has a lock may write any process down as his keeper; only his own can be meant."""
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return None


def _state(pid: int) -> str | None:
    fields = _fields(pid)
    return fields[0] if fields else None


def _fields(pid: int) -> list[str]:
    """What the system says of a process, from its state on."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []
