"""A function that Lua keeps, in front of a user's function that changes.

What Lua was given, the link keeps for as long as the board says that Lua holds it, and asking costs a call. A module
that holds one function at a time (for a pin, for an event) gets the same one again and again, so that a program that
sets a new handler a thousand times holds one.
"""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import Callable, Hashable
from typing import Any

from bridge.errors import BridgeError
from bridge.link import Caller
from bridge.mirror.table import HandleTable
from bridge.wire.values import Value


class Relay:
    """What Lua calls.

    Args:
        name: of the place that it stands for, for reports.
        convert: makes the user's arguments of Lua's.
    """

    def __init__(self, name: str, convert: Callable[..., tuple[Any, ...]] | None = None) -> None:
        self._name = name
        self._convert = convert
        self.function: Callable[..., Any] | None = None

    def __repr__(self) -> str:
        return f"the function for {self._name}"

    def __call__(self, *values: Value) -> object:
        """Lua called: the user's function gets it, if there is one."""
        if self.function is None:
            return None
        return self.function(*(self._convert(*values) if self._convert else values))


class Relays:
    """The relays of a module, in each boot its own."""

    def __init__(self) -> None:
        self._tables: weakref.WeakKeyDictionary[HandleTable, dict[Hashable, Relay]] = weakref.WeakKeyDictionary()

    def at(
        self,
        table: HandleTable,
        place: Hashable,
        name: str,
        convert: Callable[..., tuple[Any, ...]] | None = None,
        *,
        farewell: tuple[Value, ...] = (),
    ) -> Relay:
        """The relay for a place in a boot, made when first asked for.

        Args:
            table: of the boot.
            place: a key.
            name: see `Relay`.
            convert: see `Relay`.
            farewell: function and arguments of the call by which Lua forgets the relay. It is made before the agent
                leaves the board, whose memory Lua would keep with the relay.
        """
        relays = self._tables.setdefault(table, {})
        if (relay := relays.get(place)) is None:
            relay = relays[place] = Relay(name, convert)
            if farewell:
                # Not the table itself, which would then be its own reason to stay.
                table.before_close(functools.partial(_take_back, relay, table.caller, farewell))
        return relay


def _take_back(relay: Relay, caller: Caller, farewell: tuple[Value, ...]) -> None:
    if relay.function is not None:
        target, *values = farewell
        with contextlib.suppress(BridgeError):
            caller.post(target, *values)
