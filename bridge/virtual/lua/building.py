"""Builds what programs see of the firmware: modules as read-only tables, objects' metatables, functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.virtual.lua.answers import Answers
from bridge.virtual.lua.api import Args, Builtin, LuaObject, Module, ObjectType, Value
from bridge.virtual.lua.loading import Loader
from bridge.virtual.lua.vm import Vm


class Builder:
    """Builds in one VM.

    Args:
        vm: the VM.
        board: the board's own Lua table.
        answers: makes builtins callable from Lua.
        loader: told the names of the firmware's functions.
        collected: called by Lua's collector with the number of a userdata.
    """

    def __init__(self, vm: Vm, board: Any, answers: Answers, loader: Loader, collected: Callable[[int], None]) -> None:
        self._vm = vm
        self._board = board
        self._answers = answers
        self._loader = loader
        self._collected = collected

    def add_module(self, module: Module) -> None:
        """Make a module visible to programs."""
        values, order = self._table_of(module)
        self._board[b"add_module"](module.name.encode(), values, order)
        if module.shares is not None:
            self._board[b"share_methods"](module.shares.name.encode(), values)

    def _table_of(self, module: Module) -> tuple[Any, Any]:
        values, order = self._vm.table(), self._vm.table()
        for position, (name, entry) in enumerate(module.entries.items(), 1):
            key = name.encode()
            order[position] = key
            if isinstance(entry, Module):
                values[key] = self._nested(entry)
            elif callable(entry) and not self._vm.is_lua(entry):
                values[key] = self.function(entry)
            else:
                values[key] = self._answers.to_lua(entry)
            self._loader.firmware_names.add(key)
        return values, order

    def _nested(self, module: Module) -> Any:
        meta = None
        if module.index is not None:
            meta = self._vm.table()
            meta[b"__index"] = self.function(module.index)
        return self._board[b"rotable"](*self._table_of(module), meta)

    def function(self, builtin: Builtin) -> Value:
        """A Lua function for a builtin."""
        return self._board[b"wrap"](self._answers.bind(builtin), self._answers.resume)

    def make_type(self, kind: ObjectType) -> None:
        """Make the metatable of an object type."""
        methods, order = self._vm.table(), self._vm.table()
        builtins = {"__gc": _gc(kind)} if kind.has_gc else {}
        names = [*builtins, "__index", *kind.methods] if kind.methods else []
        for name, builtin in {**builtins, **kind.methods}.items():
            methods[name.encode()] = self.function(builtin)
        for position, name in enumerate(names, 1):
            order[position] = name.encode()
        self._loader.firmware_names.update(name.encode() for name in kind.methods)
        metamethods = self._vm.table()
        for name, builtin in kind.metamethods.items():
            metamethods[name.encode()] = self.function(builtin)
        shown = self._board[b"rotable"](methods, order)
        methods[b"__index"] = shown
        self._board[b"new_type"](kind.name.encode(), metamethods, methods, shown, self._answers.wire(self._collected))

    def close(self) -> None:
        """The VM goes."""
        del self._vm, self._board, self._answers, self._loader, self._collected


def _gc(kind: ObjectType) -> Builtin:
    """The finalizer as a program may call it."""

    def collect(arguments: Args) -> None:
        thing = arguments.get(1)
        if not isinstance(thing, LuaObject) or thing.TYPE is not kind:
            raise arguments.type_error(1, kind.name)
        thing.collected()

    return collect
