"""Who has which place of a coordinator, as `rack status` says it; nothing is opened for it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from bridge.rack.model import Place
from bridge.rack.status import HolderStatus, PlaceStatus, RackStatus, WaitingStatus, rack_status


def labgrid_status(
    places: Sequence[Place], said: Sequence[Mapping[str, Any]], waiting: Sequence[Mapping[str, Any]], folder: Path
) -> RackStatus:
    """The status of a rack of labgrid. Quarantine is this computer's; what labgrid does not know is null.

    Args:
        places: of the rack.
        said: of them by a keeper.
        waiting: who waits, by a keeper.
        folder: where failures are written down.
    """
    now = time.time()
    by_name = {one["name"]: one for one in said}
    return RackStatus(
        at=round(now, 3),
        folder=str(folder),
        places=[_place(found, by_name.get(found.name), now) for found in rack_status(places, folder).places],
        waiting=[
            WaitingStatus(
                pid=None,
                user=one["owner"],
                command=None,
                purpose=None,
                since=one["since"],
                count=1,
                places=one["places"],
            )
            for one in waiting
        ],
    )


def _place(found: PlaceStatus, said: Mapping[str, Any] | None, now: float) -> PlaceStatus:
    state: Literal["free", "held", "quarantined", "absent"] = "quarantined" if found.quarantined_since else "free"
    if said is None or said["absent"] is not None:
        state = "absent"
    if said is not None and said["holder"] is not None:
        state = "held"
    return found.model_copy(update={"state": state, "holder": None if said is None else _holder(said, now)})


def _holder(said: Mapping[str, Any], now: float) -> HolderStatus | None:
    if said["holder"] is None:
        return None
    host, _, user = said["holder"].partition("/")
    return HolderStatus(
        pid=None, user=user, host=host, command=None, purpose=None, since=said["since"],
        held_s=max(0.0, round(now - said["since"], 3)), ttl_s=said["ttl"], heard_s=None, generation=None, port=None,
    )  # fmt: skip
