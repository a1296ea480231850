"""Lua tables that the firmware fills, with their keys in the chip's order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.virtual.lua.api import Value
from bridge.virtual.lua.key_order import grown, placing
from bridge.virtual.lua.vm import Vm

#: For how many globals room is made at first (f_luaopen in app/lua/lstate.c).
_GLOBALS = 2
#: Of larger tables the order is the host's.
_MOST = 15


class Tables:
    """Makes tables in one VM.

    Args:
        vm: the VM.
        to_lua: makes a value of Python's one of the VM's.
    """

    def __init__(self, vm: Vm, to_lua: Callable[[Value], Any]) -> None:
        self._vm = vm
        self._to_lua = to_lua

    def make(self, items: dict[Any, Any] | list[Any], reserve: int = 0) -> Any:
        """A fresh table; str keys and values become strings, nested dicts and lists become tables.

        Args:
            items: what is in it, in the order in which C puts it there.
            reserve: for how many fields C makes room at first (`lua_createtable`); 0 if the table grows.
        """
        pairs = items.items() if isinstance(items, dict) else enumerate(items, 1)
        values = {self._to_lua(key): self._value(value) for key, value in pairs}
        named = all(type(key) is bytes for key in values)
        if self._vm.version == "5.1" and not reserve and named and 1 < len(values) <= _MOST:
            return self._grown(values)
        made = self._vm.table(reserve)
        for key, value in values.items():
            if value is not None:
                made[key] = value
        return made

    def globals_order(self, *names: bytes) -> Any:
        """A list of the names of globals, which were added in this order, in the chip's order of keys."""
        return self._vm.pack(*grown(names, _GLOBALS))

    def _value(self, value: Any) -> Any:
        return self.make(value) if isinstance(value, dict | list) else self._to_lua(value)

    def _grown(self, values: dict[bytes, Any]) -> Any:
        """A table whose keys lie as in one that the firmware fills key by key."""
        room, steps = placing(tuple(values))
        made = self._vm.table(room)
        for key, stands_in in steps:
            made[key] = True if stands_in else values[key]
        for key, stands_in in steps:
            if stands_in:
                made[key] = None
        return made
