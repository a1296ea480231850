"""How hard a virtual board worked (`VirtualBoard.statistics`)."""

from __future__ import annotations

from typing import Any

from bridge.virtual.board import VirtualBoard

#: Figures that are taken over as they are.
_TAKEN = ("longest_task", "full_collections", "incremental_cycles", "ring_bytes_lost", "lowest_heap")


def forget_strain(virtual: VirtualBoard | None) -> None:
    """Let the statistics of a board start anew; None, for one that cannot tell, does nothing."""
    if virtual is not None:
        virtual.statistics.reset()


def strain_of(virtual: VirtualBoard | None) -> dict[str, Any] | None:
    """The longest task in ms and what it was, collections and the ms they took, bytes lost in the ring, lowest heap.

    Args:
        virtual: a virtual board of this process, or None.

    Returns:
        Figures since the statistics were started anew; None for None.
    """
    if virtual is None:
        return None
    statistics = virtual.statistics
    return {
        "longest_task_ms": round(statistics.longest_task_s * 1000, 3),
        "collection_ms": round(statistics.collection_s * 1000, 3),
        **{name: _short(getattr(statistics, name)) for name in _TAKEN},
    }


def _short(value: object) -> object:
    return round(value, 2) if isinstance(value, float) else value
