"""How hard a virtual board worked, where it keeps statistics (`VirtualBoard.statistics`)."""

from __future__ import annotations

from typing import Any

#: Figures that are taken over as they are.
_TAKEN = ("longest_task", "full_collections", "incremental_cycles", "ring_bytes_lost", "lowest_heap")


def forget_strain(virtual: object) -> None:
    """Let the statistics of a board (None or real: nothing happens) start anew."""
    statistics: Any = getattr(virtual, "statistics", None)
    if statistics is not None:
        statistics.reset()


def strain_of(virtual: object) -> dict[str, Any] | None:
    """The longest task in ms and what it was, collections and the ms they took, bytes lost in the ring, lowest heap.

    Args:
        virtual: a virtual board, or None.

    Returns:
        Figures since the statistics were started anew; None on a board that keeps none.
    """
    statistics: Any = getattr(virtual, "statistics", None)
    if statistics is None:
        return None
    return {
        "longest_task_ms": round(statistics.longest_task_s * 1000, 3),
        "collection_ms": round(statistics.collection_s * 1000, 3),
        **{name: _short(getattr(statistics, name)) for name in _TAKEN},
    }


def _short(value: object) -> object:
    return round(value, 2) if isinstance(value, float) else value
