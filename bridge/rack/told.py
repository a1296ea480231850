"""Reads what another user of the rack may have written: whatever lies there, nobody waits for it or falls over it.

Imported by the keeper: it needs little.
"""

from __future__ import annotations

import json
import os
import stat
from typing import Any

#: Bytes of a record; seconds since the epoch of the last year that has four digits.
_LONGEST, _LAST = 1 << 16, 253402300799


def read_text(path: str, longest: int = _LONGEST) -> str:
    """The text of a file; what is no UTF-8 in it is replaced. A link is not followed, and a pipe is none.

    Args:
        path: of the file.
        longest: bytes that are read.

    Raises:
        OSError: there is no such file, or it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        parts = []
        while longest > 0 and (data := os.read(descriptor, longest)):
            parts.append(data)
            longest -= len(data)
        return b"".join(parts).decode(errors="replace")
    finally:
        os.close(descriptor)


def parsed(text: str) -> Any:
    """What JSON says; None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def read_told(path: str) -> dict[str, Any] | None:
    """The JSON object in a file; None if there is none."""
    try:
        found = parsed(read_text(path))
    except OSError:
        return None
    return found if isinstance(found, dict) else None


def seconds(value: Any) -> float | None:
    """A number of seconds, or a time since the epoch that a calendar has; None for anything else."""
    if not isinstance(value, int | float) or not 0 <= value <= _LAST:
        return None
    return float(value)


def whole(value: Any) -> int | None:
    """A whole number that a process or a count may have; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53 else None


def plain(value: Any, longest: int) -> str | None:
    """A text without what could play with a terminal; None for anything else.

    Args:
        value: what was told.
        longest: characters that are kept.
    """
    if not isinstance(value, str):
        return None
    return "".join(char if char.isprintable() else "?" for char in value)[:longest]
