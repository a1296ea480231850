"""What a board did since somebody last asked: figures for a benchmark, kept over resets of the chip."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass
class Statistics:
    """Counters of one board. Seconds are board time, bytes are the chip's.

    A task's time is from its dispatch until the CPU is free again: what it waits in `uart.write` or for the flash is
    its own, because it holds the CPU meanwhile.
    """

    #: The longest task in seconds, and what it was: "boot", "console line", "console input" (bytes off the UART without
    #: a callback), "uart callback", "timer", "task" (`node.task.post`), "net callback", "wifi callback",
    #: "gpio callback", "onerror", or "event" (the network's own work); "" if there was none.
    longest_task_s: float = 0.0
    longest_task: str = ""
    #: Tasks and events that ran, and how long they held the CPU together.
    tasks: int = 0
    busy_s: float = 0.0
    #: Full collections (each allocation's own in mode ALWAYS), incremental cycles by the work done, and the seconds
    #: that both took.
    full_collections: float = 0.0
    incremental_cycles: float = 0.0
    collection_s: float = 0.0
    #: Bytes that were overwritten in the receive ring before a task took them.
    ring_bytes_lost: int = 0
    #: Least free heap that was seen, peaks of compiling included; None until there was a boot.
    lowest_heap: int | None = None
    #: Bytes that crossed the line to the board and to the host.
    bytes_to_board: int = 0
    bytes_to_host: int = 0
    #: Pages of 256 bytes that a command programmed, in whole or in part, and sectors of 4 KiB that were erased.
    pages_programmed: int = 0
    sectors_erased: int = 0

    def reset(self) -> None:
        """Start all counters anew; the board runs on."""
        for field in dataclasses.fields(self):
            setattr(self, field.name, field.default)

    def as_dict(self) -> dict[str, Any]:
        """All figures by their names, as they are now."""
        return dataclasses.asdict(self)

    # -- told by the board ------------------------------------------------------------------------------------------

    def task(self, what: str, seconds: float) -> None:
        """A task is over."""
        self.tasks += 1
        self.busy_s += seconds
        if seconds > self.longest_task_s:
            self.longest_task_s, self.longest_task = seconds, what

    def collected(self, full: float, cycles: float, seconds: float) -> None:
        """The collector worked."""
        self.full_collections += full
        self.incremental_cycles += cycles
        self.collection_s += seconds

    def heap(self, free: int) -> None:
        """So many bytes were free."""
        if self.lowest_heap is None or free < self.lowest_heap:
            self.lowest_heap = free
