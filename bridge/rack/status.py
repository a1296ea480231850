"""Who holds what since when, who waits, and what is quarantined; nothing is opened for it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from bridge.rack import health
from bridge.rack.model import Place
from bridge.rack.state import board_key, is_device, port_lock
from bridge.rack.told import plain, seconds, whole
from bridge.rack.turns import Turn, waiting
from bridge.rack.who import Who, who_has

#: Characters of a text that another user may have written.
_SHOWN = 200


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_serialization_defaults_required=True)


class HolderStatus(_Model):
    """Who holds a place. What was not written down is null."""

    pid: int | None
    user: str | None
    host: str | None
    command: str | None
    """Program and command, without arguments."""
    purpose: str | None
    since: float | None
    """Seconds since the epoch."""
    held_s: float | None
    """Seconds that it has been held."""
    ttl_s: float | None
    """Seconds that the holder may stand still."""
    heard_s: float | None
    """Seconds since its keeper was heard of it."""
    generation: int | None
    """Counts the leases of the board."""
    port: str | None
    """URL of the port that the board was found on."""


class WaitingStatus(_Model):
    """Somebody who waits for boards."""

    pid: int | None
    user: str | None
    command: str | None
    purpose: str | None
    since: float | None
    """Seconds since the epoch."""
    count: int
    """Boards wanted."""
    places: list[str]
    """Names of the places that would do."""


class FailureStatus(_Model):
    """What was wrong with a place."""

    at: float
    """Seconds since the epoch."""
    what: str
    test: str
    port: str
    user: str
    console: str


class PlaceStatus(_Model):
    """A place of the rack."""

    name: str
    state: Literal["free", "held", "quarantined", "absent", "own"]
    """absent: its device is not there; own: a board inside each process that asks for it."""
    port: str
    """What the rack file says of its port, in words."""
    mac: str | None
    profile: str | None
    tags: list[str]
    modules: list[str] | None
    flash: int | None
    """Bytes promised."""
    lua: str | None
    holder: HolderStatus | None
    quarantined_since: float | None
    """Seconds since the epoch."""
    failures: list[FailureStatus]
    """Failures in a row, the first comes first."""


class RackStatus(_Model):
    """A rack."""

    at: float
    """Seconds since the epoch."""
    folder: str
    """Of locks and records."""
    places: list[PlaceStatus]
    waiting: list[WaitingStatus]
    """In turn."""


def rack_status(places: Sequence[Place], folder: Path) -> RackStatus:
    """The status of a rack.

    Args:
        places: of the rack.
        folder: of its locks and records.
    """
    names = {board_key(place): place.name for place in places}
    turns = [turn for turn in waiting(str(folder)) if turn.wants & names.keys()]
    return RackStatus(
        at=round(time.time(), 3),
        folder=str(folder),
        places=[_place(place, folder) for place in places],
        waiting=[_waiting(turn, names) for turn in turns],
    )


def _place(place: Place, folder: Path) -> PlaceStatus:
    who = None if place.is_virtual else who_has(str(folder), board_key(place), port_lock(place.port or ""))
    quarantine = health.quarantined(place, folder=folder)
    state: Literal["free", "held", "quarantined", "absent", "own"] = "free"
    if who is not None:
        state = "held"
    elif quarantine is not None:
        state = "quarantined"
    elif place.is_virtual:
        state = "own"
    elif place.port is not None and place.mac is None and is_device(place.port) and not os.path.exists(place.port):
        state = "absent"
    return PlaceStatus(
        name=place.name,
        state=state,
        port=place.where,
        mac=place.mac,
        profile=place.profile,
        tags=place.tags,
        modules=place.capabilities.modules,
        flash=place.capabilities.flash,
        lua=place.capabilities.lua,
        holder=None if who is None else _holder(who),
        quarantined_since=None if quarantine is None else quarantine.since,
        failures=[
            FailureStatus(
                at=each.at,
                what=each.what,
                test=each.test,
                port=each.port,
                user=each.user,
                console=each.console,
            )
            for each in health.failures(place, folder=folder)
        ],
    )


def _holder(who: Who) -> HolderStatus:
    record = who.record or {}
    now = time.time()
    since = _number(record, "since")
    heard: float | None = None
    if who.lease is not None:
        with contextlib.suppress(OSError):
            heard = max(0.0, round(now - os.stat(f"{who.lease}.lock").st_mtime, 3))
    return HolderStatus(
        pid=_whole(record, "pid"),
        user=_text(record, "user"),
        host=_text(record, "host"),
        command=_text(record, "command"),
        purpose=_text(record, "purpose"),
        since=since,
        held_s=None if since is None else max(0.0, round(now - since, 3)),
        ttl_s=_number(record, "ttl"),
        heard_s=heard,
        generation=_whole(record, "generation"),
        port=_text(record, "port"),
    )


def _waiting(turn: Turn, names: Mapping[str, str]) -> WaitingStatus:
    return WaitingStatus(
        pid=_whole(turn.about, "pid"),
        user=_text(turn.about, "user"),
        command=_text(turn.about, "command"),
        purpose=_text(turn.about, "purpose"),
        since=_number(turn.about, "since"),
        count=turn.boards,
        places=sorted(names[board] for board in turn.wants if board in names),
    )


def _text(record: Mapping[str, Any], key: str) -> str | None:
    return plain(record.get(key), _SHOWN)


def _number(record: Mapping[str, Any], key: str) -> float | None:
    return seconds(record.get(key))


def _whole(record: Mapping[str, Any], key: str) -> int | None:
    return whole(record.get(key))
