"""What was wrong with a place, and whether it is quarantined: after three failures in a row, until somebody heals it.

Each user writes to a file of his own in the state folder, a line of JSON for each event; all users' events together, by
their times, are the place's history. What cannot be written counts in this process all the same.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import json
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bridge.rack.board_lock import prepare_folder
from bridge.rack.model import Place
from bridge.rack.state import board_key, state_folder

log = logging.getLogger("bridge.rack")

#: Failures in a row after which a place is quarantined.
FAILURES = 3
_KIND = ".health"
#: Characters of console text that are kept of a failure, from its end.
_CONSOLE = 4000
#: Bytes above which a file is cut down, and events that stay.
_LONGEST, _KEPT = 256_000, 20


@dataclass(frozen=True)
class Evidence:
    """A failure of a place."""

    what: str
    """What happened, in a sentence."""
    console: str = ""
    """What the board printed; the caller sees to it that no secret is in it."""
    test: str = ""
    """The test that was hit, if it was one."""
    port: str = ""
    """URL of the port at that time."""
    at: float = 0.0
    """Seconds since the epoch; 0 for now."""
    user: str = ""
    """Who noted it; by default the user of this process."""


@dataclass(frozen=True)
class Quarantine:
    """A place is not given to anybody."""

    since: float
    """Seconds since the epoch."""
    failures: tuple[Evidence, ...]
    """Those that led to it, the first comes first."""

    def __str__(self) -> str:
        begun = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.since))
        return f"quarantined since {begun} after {len(self.failures)} failures, the last: {self.failures[-1].what}"


def record_failure(place: Place, evidence: Evidence, *, folder: Path | None = None) -> Quarantine | None:
    """Note that a place has failed.

    Args:
        place: which.
        evidence: what happened.
        folder: state folder of the rack.

    Returns:
        Its quarantine, if it is quarantined by now.
    """
    evidence = replace(
        evidence,
        at=evidence.at or round(time.time(), 3),
        user=evidence.user or _user(),
        port=evidence.port or place.where,
        console=evidence.console[-_CONSOLE:],
    )
    _note(place, folder, {"kind": "failure", **asdict(evidence)})
    return quarantined(place, folder=folder)


def record_success(place: Place, *, folder: Path | None = None) -> None:
    """Note that a place has worked: failures before that count no more, but for a quarantine."""
    if failures(place, folder=folder) and quarantined(place, folder=folder) is None:
        _note(place, folder, {"kind": "success", "at": round(time.time(), 3), "user": _user()})


def heal(place: Place, *, folder: Path | None = None) -> None:
    """End a quarantine: somebody has looked after the place."""
    _note(place, folder, {"kind": "healed", "at": round(time.time(), 3), "user": _user()})


def failures(place: Place, *, folder: Path | None = None) -> tuple[Evidence, ...]:
    """The failures in a row that a place has had, the first comes first."""
    return _history(place, folder)[0]


def quarantined(place: Place, *, folder: Path | None = None) -> Quarantine | None:
    """The quarantine of a place, or None."""
    return _history(place, folder)[1]


def _history(place: Place, folder: Path | None) -> tuple[tuple[Evidence, ...], Quarantine | None]:
    row: list[Evidence] = []
    quarantine: Quarantine | None = None
    for event in sorted(_events(place, folder), key=lambda event: event["at"]):
        if event["kind"] == "healed":
            row, quarantine = [], None
        elif event["kind"] == "success":
            row = [] if quarantine is None else row
        elif quarantine is None:
            row.append(Evidence(**{key: event[key] for key in Evidence.__dataclass_fields__ if key in event}))
            if len(row) >= FAILURES:
                quarantine = Quarantine(row[-1].at, tuple(row))
    return tuple(row), quarantine


#: Events that could not be written.
_unwritten: dict[str, list[dict[str, Any]]] = {}


def _events(place: Place, folder: Path | None) -> Iterator[dict[str, Any]]:
    base = _base(place, folder)
    yield from _unwritten.get(str(base), [])
    with contextlib.suppress(OSError):
        for file in base.parent.iterdir():
            stem, _, uid = file.name.removesuffix(_KIND).rpartition(".")
            if file.name.endswith(_KIND) and stem == base.name and uid.isdecimal():
                for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                    event = _event(line)
                    if event is not None:
                        yield event


def _event(line: str) -> dict[str, Any] | None:
    """An event, or None for a line that was not written whole, or by whom we do not trust to know the form."""
    try:
        event = json.loads(line)
        event["at"] = float(event["at"])
        texts = (event.get(key, "") for key in ("kind", "what", "console", "test", "port", "user"))
        return event if all(isinstance(text, str) for text in texts) and event.get("kind") else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _base(place: Place, folder: Path | None) -> Path:
    return (folder or state_folder()) / board_key(place)


def _note(place: Place, folder: Path | None, event: dict[str, Any]) -> None:
    base = _base(place, folder)
    try:
        prepare_folder(str(base.parent))
        _append(base.with_name(f"{base.name}.{os.getuid()}{_KIND}"), json.dumps({"place": place.name, **event}))
        _unwritten.pop(str(base), None) if event["kind"] == "healed" else None
    except OSError as error:
        _unwritten.setdefault(str(base), []).append(event)
        log.warning(
            "%s (%s): that it %s cannot be written down in %s (%s). Make room there, or give the rack file another "
            "`state`; until then only this process knows.",
            place.name, place.where, {"failure": "failed", "success": "works", "healed": "is healed"}[event["kind"]],
            base.parent, error.strerror or error,
        )  # fmt: skip


def _append(path: Path, line: str) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.fchmod(descriptor, 0o644)
        if os.fstat(descriptor).st_size > _LONGEST:
            kept = path.read_bytes().splitlines(keepends=True)[-_KEPT:]
            os.ftruncate(descriptor, 0)
            os.write(descriptor, b"".join(kept))
        data = f"{line}\n".encode()
        if os.write(descriptor, data) != len(data):
            raise OSError(28, os.strerror(28))
    finally:
        os.close(descriptor)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())
