"""Userdata: which Lua value stands for which object of the firmware, and when the collector took it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from bridge.virtual.lua.api import LuaObject, ObjectType, Value

if TYPE_CHECKING:
    from bridge.virtual.lua.vm import Vm


class Objects:
    """The firmware's objects that live in one VM.

    Args:
        vm: the VM.
        board: the board's own Lua table, with what board/object.lua put there.
        make_type: adds a metatable for an `ObjectType` to the VM.
    """

    def __init__(self, vm: Vm, board: Any, make_type: Callable[[ObjectType], None]) -> None:
        self._vm = vm
        self._board = board
        self._make_type = make_type
        self._types: set[str] = set()
        self._numbers = itertools.count(1)
        self._objects: dict[int, LuaObject] = {}
        self._number_of: dict[int, int] = {}  # id(object) -> number
        self._addresses: dict[int, int] = {}  # number -> address of the block in this process
        self._sizes: dict[int, int] = {}  # address -> bytes on the chip
        self._pins: dict[int, Any] = {}  # number -> the userdata itself
        self.closed = False

    def to_lua(self, thing: LuaObject) -> Any:
        """The userdata of an object, made when it is first asked for."""
        number = self._number_of.get(id(thing))
        if number is not None:
            return self._board[b"object_of"](number)
        kind = thing.TYPE
        self.prepare(kind)
        number = next(self._numbers)
        made, text = self._board[b"new_object"](kind.name.encode(), number, self._blank())
        self._objects[number] = thing
        self._number_of[id(thing)] = number
        address = int(text.rpartition(b"0x")[2], 16)
        self._addresses[number], self._sizes[address] = address, kind.size
        return made

    def prepare(self, kind: ObjectType) -> None:
        """Make a type's metatable, once."""
        if kind.name not in self._types:
            self._types.add(kind.name)
            self._make_type(kind)

    def _blank(self) -> Any:
        # 5.3 has no newproxy: an object of this process becomes a userdata whose metatable is then exchanged. Each
        # needs its own, because lupa gives the same userdata for the same object.
        return None if self._vm.version == "5.1" else _Blank()

    def from_lua(self, value: Value) -> Value:
        """The object behind a userdata; other values as they are."""
        if type(value) is not self._vm.userdata_type:
            return value
        number = self._board[b"number_of"](value)
        return self._objects.get(number, value) if number is not None else value

    def handed_over(self) -> tuple[Value, ...]:
        """The values that a coroutine has left to be fetched by way of the main thread (board/builtin.lua)."""
        taken = self._board[b"take_handed"]()
        return taken if type(taken) is tuple else (taken,)

    def pin(self, thing: LuaObject) -> None:
        """Keep an object's userdata alive."""
        made = self.to_lua(thing)
        self._pins[self._number_of[id(thing)]] = made

    def unpin(self, thing: LuaObject) -> None:
        """Let the collector have it again."""
        self._pins.pop(self._number_of.get(id(thing), 0), None)

    def collected(self, number: int) -> None:
        """Called by the collector of Lua."""
        thing = self._objects.pop(number, None)
        if thing is None:
            return
        self._number_of.pop(id(thing), None)
        self._sizes.pop(self._addresses.pop(number), None)
        if not self.closed:
            thing.collected()

    def size_at(self, address: int) -> int | None:
        """Bytes on the chip of the userdata whose block begins at an address of this process, or None."""
        return self._sizes.get(address)

    @property
    def loose(self) -> bool:
        """True if there are objects that the collector might take."""
        return len(self._objects) > len(self._pins)

    def __iter__(self) -> Iterator[LuaObject]:
        return iter(list(self._objects.values()))

    def close(self) -> None:
        """The VM is about to go: nothing is told of it any more."""
        self.closed = True
        self._pins.clear()
        self._objects.clear()
        self._number_of.clear()
        del self._vm, self._board, self._make_type


class _Blank:
    """What a userdata of 5.3 is made of."""
