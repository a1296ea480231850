"""How hard a virtual board worked, where it keeps such statistics."""

from __future__ import annotations

from typing import Any


def strain_of(system: Any) -> dict[str, float] | None:
    """Longest task in ms, collections and ring overruns since the boot; None on a board that does not count them.

    Args:
        system: the running firmware of a virtual board (`bridge.bench.rig.Rig.system`), or None.
    """
    statistics = getattr(system, "statistics", None)
    if statistics is None:
        return None
    return {
        "longest_task_ms": round(statistics.longest_task_s * 1000, 3),
        "collections": statistics.collections,
        "ring_overruns": statistics.ring_overruns,
    }
