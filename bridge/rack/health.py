"""What was wrong with a place, and whether it is quarantined: after three failures in a row, until somebody heals it.

Each user writes to a file of his own in the state folder, a line of JSON for each event; all users' events together, by
their times, are the place's history. What cannot be written counts in this process all the same.
"""

from __future__ import annotations

import contextlib
import errno
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

from bridge.errors import PlaceFailed
from bridge.rack.board_lock import prepare_folder
from bridge.rack.model import Place
from bridge.rack.state import board_key, state_folder
from bridge.rack.told import parsed, plain, read_text, seconds
from bridge.trace.recorder import public_url
from bridge.trace.secrets import discreet_text

log = logging.getLogger("bridge.rack")

#: Failures in a row after which a place is quarantined.
FAILURES = 3
_KIND = ".health"
#: Characters of console text that are kept of a failure, from its end.
_CONSOLE = 4000
#: What happens to a place, and how that is said of it; what is told of it in texts.
_KINDS = {"failure": "failed", "success": "works", "healed": "is healed"}
_TEXTS = ("what", "console", "test", "port", "user")
#: Characters of such a text, but for the console's.
_SHOWN = 2000
#: Seconds since the epoch: after an event there must be room for another one.
_LATEST = 250_000_000_000
#: Bytes above which a file is cut down, and events that stay.
_LONGEST, _KEPT = 256_000, 20


@dataclass(frozen=True)
class Evidence:
    """A failure of a place."""

    what: str
    """What happened, in a sentence."""
    console: str = ""
    """What the board printed."""
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

    All users may read it, so that what reads like a secret is blanked.

    Args:
        place: which.
        evidence: what happened.
        folder: state folder of the rack.

    Returns:
        Its quarantine, if it is quarantined by now.
    """
    evidence = replace(
        evidence,
        what=discreet_text(evidence.what),
        user=evidence.user or _user(),
        port=public_url(evidence.port) or place.where,
        # Cut afterwards: what is cut away may tell that the rest is a secret.
        console=discreet_text(evidence.console)[-_CONSOLE:],
    )
    told = asdict(evidence)
    _note(place, folder, {"kind": "failure", **(told if evidence.at else {**told, "at": None})})
    return quarantined(place, folder=folder)


def record_success(place: Place, *, folder: Path | None = None) -> None:
    """Note that a place has worked: failures before that count no more, but for a quarantine."""
    if failures(place, folder=folder) and quarantined(place, folder=folder) is None:
        _note(place, folder, {"kind": "success", "user": _user()})


def heal(place: Place, *, folder: Path | None = None) -> None:
    """End a quarantine: somebody has looked after the place.

    Raises:
        PlaceFailed: it cannot be written down, so that others would not know.
    """
    trouble = _note(place, folder, {"kind": "healed", "user": _user()})
    if trouble is not None:
        raise PlaceFailed(
            f"{place.name}: that it is healed cannot be written down in {_base(place, folder).parent} ({trouble})",
            port=place.where,
            remedy="Make room there, and say it again.",
        )


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
            row.append(Evidence(at=event["at"], **{key: event[key] for key in _TEXTS}))
            if len(row) >= FAILURES:
                quarantine = Quarantine(row[-1].at, tuple(row))
    return tuple(row), quarantine


#: Events that could not be written.
_unwritten: dict[str, list[dict[str, Any]]] = {}


def _events(place: Place, folder: Path | None) -> Iterator[dict[str, Any]]:
    base = _base(place, folder)
    yield from _unwritten.get(str(base), [])
    try:
        files = [*base.parent.iterdir()]
    except OSError:
        return
    for file in files:
        stem, _, uid = file.name.removesuffix(_KIND).rpartition(".")
        if file.name.endswith(_KIND) and stem == base.name and uid.isdecimal():
            with contextlib.suppress(OSError):
                for line in read_text(str(file), 2 * _LONGEST).splitlines():
                    event = _event(line)
                    if event is not None:
                        yield event


def _event(line: str) -> dict[str, Any] | None:
    """An event, or None for a line that was not written whole, or by whom we do not trust to know the form."""
    said = parsed(line)
    if not isinstance(said, dict) or said.get("kind") not in _KINDS:
        return None
    at = seconds(said.get("at"))
    texts = {key: said.get(key, "") for key in _TEXTS}
    if at is None or at > _LATEST or not all(isinstance(text, str) for text in texts.values()):
        return None
    # What the board printed may have lines; of the rest another user may have written what plays with a terminal.
    return {"kind": said["kind"], "at": at,
            **{key: text if key == "console" else plain(text, _SHOWN) for key, text in texts.items()}}  # fmt: skip


def _base(place: Place, folder: Path | None) -> Path:
    return (folder or state_folder()) / board_key(place)


def _note(place: Place, folder: Path | None, event: dict[str, Any]) -> str | None:
    """Note an event, and those that could not be written before; it comes after all others if its time is not given.

    Returns:
        Why it cannot be written; a failure or a success counts in this process all the same.
    """
    base = _base(place, folder)
    if event.get("at") is None:
        # A clock may have been put back since the last one.
        last = max((each["at"] for each in _events(place, folder)), default=0.0)
        event = {**event, "at": round(max(time.time(), last + 0.001), 3)}
    before = _unwritten.get(str(base), [])
    try:
        prepare_folder(str(base.parent))
        _append(
            base.with_name(f"{base.name}.{os.getuid()}{_KIND}"),
            [json.dumps({"place": place.name, **each}) for each in (*before, event)],
        )
    except OSError as error:
        trouble = error.strerror or str(error)
        if event["kind"] != "healed":
            _unwritten[str(base)] = [*before, {key: event.get(key, "") for key in ("kind", "at", *_TEXTS)}]
            log.warning(
                "%s (%s): that it %s cannot be written down in %s (%s). Make room there, or give the rack file another "
                "`state`; until then only this process knows.",
                place.name, place.where, _KINDS[event["kind"]], base.parent, trouble,
            )  # fmt: skip
        return trouble
    _unwritten.pop(str(base), None)
    return None


def _append(path: Path, lines: list[str]) -> None:
    """Write lines at the end of a file, all or none of them."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.fchmod(descriptor, 0o644)
        size = os.fstat(descriptor).st_size
        if size > _LONGEST:
            size = _cut_down(descriptor, size)
        # Who was killed while he wrote has left no whole line.
        begin = b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""
        data = begin + "".join(f"{line}\n" for line in lines).encode()
        try:
            if os.pwrite(descriptor, data, size) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def _cut_down(descriptor: int, size: int) -> int:
    """Leave the newest lines of a file, and what ends rows in other users' files; over its old ones, as room may lack.

    Returns:
        The size that it has now.
    """
    lines = os.pread(descriptor, size, 0).splitlines(keepends=True)
    newest: dict[str, int] = {}
    for number, line in enumerate(lines):
        event = _event(line.decode(errors="replace"))
        if event is not None and event["kind"] != "failure":
            newest[event["kind"]] = number
    stay = {*newest.values(), *range(len(lines) - _KEPT, len(lines))}
    kept = b"".join(line for number, line in enumerate(lines) if number in stay)
    os.pwrite(descriptor, kept, 0)
    os.ftruncate(descriptor, len(kept))
    return len(kept)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())
