"""The file of a trace: one JSON object a line, the first one a header.

    {"trace": 1, "port": "/dev/ttyUSB0", "bridge": "0.1.0", "started": "2025-01-31T12:00:00+00:00"}
    {"t": 0.000213, "=": "open", "baud": 115200}
    {"t": 0.001200, ">": "print(1)\\r\\n"}
    {"t": 0.013010, "<": "print(1)\\r\\n1\\r\\n> "}

`t` is seconds since the start. `>` is what was written and `<` what arrived, each byte as the character with its number
(Latin-1); `elided` beside them counts bytes of secrets that were exchanged for others. `=` is a note with facts beside
it, `!` a fault. The file is ASCII. Each line is written at once, so a killed process loses what is held back and no
more; the last line may then be cut.
"""

from __future__ import annotations

import json
import math
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bridge.errors import UsageError

#: Version of the form of the file.
VERSION = 1


@dataclass(frozen=True)
class Record:
    """A line of a trace."""

    t: float
    """Seconds since the start."""
    mark: str
    """`>` written, `<` arrived, `=` a note, `!` a fault."""
    data: bytes = b""
    """What was written or arrived."""
    text: str = ""
    """The note, or the fault."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What stands beside the note."""
    elided: int = 0
    """Bytes of secrets that were exchanged."""


@dataclass(frozen=True)
class Trace:
    """A trace that was read."""

    path: str
    header: dict[str, Any]
    records: tuple[Record, ...]
    cut: bool = False
    """The last line is not whole: whoever wrote it was killed."""


def line(t: float, mark: str, value: str, **facts: object) -> bytes:
    """A line of the file."""
    return json.dumps({"t": round(t, 6), mark: value, **facts}).encode() + b"\n"


def header(port: str, **facts: object) -> bytes:
    """The first line."""
    return json.dumps({"trace": VERSION, "port": port, **facts}).encode() + b"\n"


def create(path: Path) -> int:
    """Make the file, for its owner only; returns its descriptor.

    Raises:
        UsageError: it cannot be written, or is another file that would be lost.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UsageError(
            f"The trace {path} cannot be written ({error.strerror})", remedy="Check the file's name."
        ) from error
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            start = os.read(descriptor, 10)
            if start and not start.startswith(b'{"trace":'):
                raise UsageError(f"{path} is no trace and would be overwritten", remedy="Name another file.")
            # It may have been somebody else's to read, before.
            os.fchmod(descriptor, 0o600)
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
    except OSError as error:
        os.close(descriptor)
        raise UsageError(
            f"The trace {path} cannot be written ({error.strerror})", remedy="Name another file."
        ) from error
    except UsageError:
        os.close(descriptor)
        raise
    return descriptor


def read(path: str | Path) -> Trace:
    """Read a trace.

    Raises:
        UsageError: the file cannot be read, is no trace, is damaged, or is of another version.
    """
    try:
        whole = Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})", remedy="Check the file's name.") from error
    *lines, rest = whole.split(b"\n")
    first = _object(lines[0]) if lines else None
    if first is None or "trace" not in first or not isinstance(first.get("port"), str):
        raise UsageError(
            f"{path} is {'no trace' if whole else 'empty'}", remedy="Name a file that --trace has written."
        )
    if first["trace"] != VERSION:
        raise UsageError(
            f"{path} is a trace of version {first['trace']}, and this program reads version {VERSION}",
            remedy="Read it with the program that wrote it.",
        )
    records = []
    for number, text in enumerate(lines[1:], 2):
        record = _record(_object(text))
        if record is None:
            raise UsageError(
                f"{path} is damaged: line {number} is none of a trace", remedy="Take the line out, or trace again."
            )
        records.append(record)
    return Trace(str(path), first, tuple(records), cut=bool(rest))


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _number(value: object) -> float:
    """The number, or not one."""
    try:
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:
        return math.nan


def _record(found: dict[str, Any] | None) -> Record | None:
    if found is None:
        return None
    t = _number(found.pop("t", None))
    mark = next((mark for mark in "><=!" if mark in found), None)
    if mark is None or not math.isfinite(t):
        return None
    text = found.pop(mark)
    if not isinstance(text, str):
        return None
    if mark in "=!":
        if not (1 <= _number(found.get("baud", 1)) < math.inf and 0 <= _number(found.get("damage", 0)) <= 1):
            return None
        return Record(t, mark, text=text, facts=found)
    elided = found.pop("elided", 0)
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        return None
    return Record(t, mark, data, elided=elided) if isinstance(elided, int) and elided >= 0 else None
