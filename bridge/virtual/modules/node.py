"""The `node` module (app/modules/node.c)."""

from __future__ import annotations

from bridge.virtual.lua.api import Args, ArgumentFault, LuaFault, Module, Value
from bridge.virtual.sdk.kernel import Kernel
from bridge.virtual.sdk.system import System


class _Node:
    def __init__(self, system: System) -> None:
        self._system = system

    def heap(self, arguments: Args) -> int:
        return self._system.heap.free()

    def restart(self, arguments: Args) -> None:
        self._system.restart()

    def setonerror(self, arguments: Args) -> None:
        self._system.onerror = arguments.get(1) if arguments.is_function(1) else None

    def bootreason(self, arguments: Args) -> Value:
        boot = self._system.boot
        return (boot.raw, boot.extended, *boot.exception)

    def post(self, arguments: Args) -> None:
        position, priority = 1, 1
        if arguments.type_name(1) == "number":
            priority = arguments.check_integer(1)
            if not 0 <= priority <= 2:
                raise ArgumentFault(1, "invalid  priority")
            position = 2
        self._system.post_function(priority, arguments.check_function(position))


def build(kernel: Kernel) -> Module:
    """The module for one boot."""
    assert isinstance(kernel, System)
    node = _Node(kernel)
    return Module(
        "node",
        {
            "heap": node.heap,
            "task": Module("task", {"post": node.post, "LOW_PRIORITY": 0, "MEDIUM_PRIORITY": 1, "HIGH_PRIORITY": 2}),
            "setonerror": node.setonerror,
            "restart": node.restart,
            "bootreason": node.bootreason,
        },
    )
