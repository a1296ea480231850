"""Who holds a board, in words: a JSON file beside its lock, each user's own. Imported by the keeper: it needs little.

A record says nothing of whether the lock is held; the lock does. It stays when the lease is over, and says how that
came.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from bridge.rack.told import read_told, whole

_KIND = ".lease"


def write_record(base: str, record: Mapping[str, Any], kind: str = _KIND) -> None:
    """Write the record that belongs to a lock; whole, so that nobody reads half of it.

    Args:
        base: path of the lock without its ending.
        record: of values that JSON has.
        kind: ending of the file's name.

    Raises:
        OSError: it cannot be written, as on a disk that is full.
    """
    path, new = base + kind, f"{base}{kind}.{os.getpid()}"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        try:
            os.fchmod(descriptor, 0o644)
            data = json.dumps(record).encode()
            while data:
                data = data[os.write(descriptor, data) :]
        finally:
            os.close(descriptor)
        os.replace(new, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(new)
        raise


def read_record(base: str) -> dict[str, Any] | None:
    """The record that belongs to a lock, or None where there is none that can be read."""
    return read_told(base + _KIND)


def last_generation(bases: Iterable[str]) -> int:
    """The highest number that a lease of a board has had, by all users' records; 0 before the first."""
    numbers = [0]
    for base in bases:
        numbers.append(whole((read_record(base) or {}).get("generation")) or 0)
    return max(numbers)
