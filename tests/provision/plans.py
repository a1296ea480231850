"""Plans for tests, without files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bridge.image import ImagePart
from bridge.provision.model import Checks
from bridge.provision.plan import BoardPlan, Look, Place, Record, WifiWish, digest, firmware_of, plan_digest
from bridge.provision.secret import Secret

MAC = "5c:cf:7f:00:00:01"
PLAN = BoardPlan(
    name="one",
    place=Place(port="/dev/none"),
    mac=None,
    profile=None,
    image=[ImagePart(0, b"firmware")],
    facts=None,
    baud=None,
    lose_files=False,
    erase=False,
    files={"a.lua": b"print(1)", "b.bin": b"\0"},
    lfs=b"lfs",
    startup=b"start()",
    wifi=WifiWish("workshop", Secret("hunter2hunter2"), "mark", 10),
    checks=Checks(),
)
LOOK = Look(
    mac=MAC,
    chip_id="000001",
    version="3.0.0",
    release="r",
    commit="c",
    lua="Lua 5.1",
    modules=frozenset({"file", "net"}),
    flash_bytes=4 << 20,
    heap=40_000,
    ssid="workshop",
    status=5,
    ip="10.0.0.2",
    files={"a.lua": 8, "b.bin": 1, "init.lua": 7, "other": 3},
)


def done(plan: BoardPlan = PLAN, **changes: Any) -> Record:
    """The record of a board on which a plan was finished."""
    record = Record(
        MAC,
        image=plan.image_hash,
        firmware=firmware_of(LOOK),
        files={name: digest(data) for name, data in plan.all_files.items()},
        lfs=None if plan.lfs is None else digest(plan.lfs),
        ssid="workshop",
        wifi_mark="mark",
        ready=plan_digest(plan),
    )
    return replace(record, **changes)
