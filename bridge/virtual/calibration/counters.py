"""The recorder's `host` module: counters of the board that a program can read. Only for measuring."""

from __future__ import annotations

from typing import Any

from bridge.virtual.lua.api import Args, Module


def build(system: Any) -> Module:
    """The module for one boot.

    Args:
        system: the board's kernel (`bridge.virtual.sdk.system.System`).
    """

    def heapmin(args: Args) -> int:
        lowest = int(system.heap.lowest)
        if args.get(1):
            system.heap.lowest = system.heap.free()
        return lowest

    def icount(args: Args) -> int:
        system.account.settle()
        return int(system.account.instructions)

    def mallocs(args: Args) -> int:
        system.account.settle()
        return int(system.account.allocations)

    return Module("host", {"heapmin": heapmin, "icount": icount, "mallocs": mallocs})
