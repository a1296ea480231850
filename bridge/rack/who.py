"""Who has a board: its lease's holder, or a program without a lease on its port. Imported by the keeper."""

from __future__ import annotations

from typing import Any, NamedTuple

from bridge.ports.process import lives
from bridge.rack.board_lock import locked_by
from bridge.rack.stale import record_of_now
from bridge.rack.told import read_told, whole


class Who(NamedTuple):
    """Somebody who has a board."""

    record: dict[str, Any] | None
    """What is written down of him; None if nothing is."""
    lease: str | None
    """Path, without its ending, of the board's lock; None without a lease."""


def who_has(folder: str, board: str, port_lock: tuple[str, str] | None) -> Who | None:
    """Who has a board now; None if nobody has.

    Args:
        folder: of the rack's locks.
        board: name of the board's lock.
        port_lock: folder and name of its port's lock, if the port is known.
    """
    lease = locked_by(folder, board)
    if lease is not None:
        return Who(record_of_now(lease), lease)
    port = None if port_lock is None else locked_by(*port_lock)
    if port is None:
        return None
    record = read_told(f"{port}.holder") or {}
    pid = whole(record.get("pid"))
    return Who(record if pid is not None and lives(pid) else None, None)
