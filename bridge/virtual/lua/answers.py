"""How a firmware function's answer travels from Python to Lua, and its arguments the other way.

A builtin of `api` becomes a callable for the Lua side of the board (board/builtin.lua): it takes Lua values, and
returns an opcode with what belongs to it. No exception crosses into Lua.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from bridge.virtual.lua.api import Args, Args53, ArgumentFault, Builtin, Call, LuaFault, LuaObject, Value
from bridge.virtual.lua.narrow import to_float
from bridge.virtual.sdk.kernel import Halted, OutOfHeap

if TYPE_CHECKING:
    from bridge.virtual.lua.objects import Objects
    from bridge.virtual.lua.vm import Vm

# Opcodes, as in board/builtin.lua. 0 to 4 are that many results.
MANY = 5
CALL = 6
FAULT = 10
BARE_FAULT = 11
ARGUMENT_FAULT = 12
OUT_OF_MEMORY = 13
HALT = 14

#: Stands for values that are to be fetched, as in board/builtin.lua.
HANDED = (b"\0handed",)

Answer = tuple[Any, ...]


class Answers:
    """Turns builtins into callables for the Lua side.

    Args:
        vm: the VM that calls.
        objects: userdata of this VM.
        called: told at each call of a builtin, for its cost.
    """

    def __init__(self, vm: Vm, objects: Objects, called: Callable[[], None]) -> None:
        self._vm = vm
        self._objects = objects
        self._called = called
        # What Lua holds of a Python function is its number here, so that closing cuts the VM off from the board.
        self._wired: list[Callable[..., Any]] = []
        #: An exception that is a bug of the virtual board; raised again when Lua has unwound.
        self.failure: BaseException | None = None
        self._single = vm.version == "5.3"
        #: Set while nothing may run on (PANIC, crash, watchdog).
        self.halted = False

    def bind(self, builtin: Builtin) -> Callable[..., Answer]:
        """The callable that stands behind a builtin's Lua function."""
        userdata = self._vm.userdata_type
        from_lua = self._objects.from_lua
        checked = Args if self._vm.version == "5.1" else Args53
        function = self.wire(builtin)

        def answer(*values: Value) -> Answer:
            if self.halted:
                return (HALT,)
            self._called()
            if values == HANDED:
                values = self._objects.handed_over()
            if any(type(value) is userdata for value in values):
                values = tuple(from_lua(value) for value in values)
            return self._run(lambda: function(checked(values)))

        return answer

    def resume(self, generator: Any, *values: Value) -> Answer:
        """Go on with a builtin that called a Lua function.

        Args:
            generator: the builtin, or what stands for all arguments when they are to be fetched.
            values: the function's results.
        """
        if generator == HANDED[0]:
            generator, *values = self._objects.handed_over()  # type: ignore[assignment]
        if self.halted:
            generator.close()
            return (HALT,)
        arguments = tuple(self._objects.from_lua(value) for value in values)
        return self._run(lambda: self._step(generator, arguments))

    def wire(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A stand-in for a Python function that Lua may hold without keeping the board alive."""
        wired, number = self._wired, len(self._wired)
        wired.append(function)
        return lambda *values: wired[number](*values)

    def stopped_by(self, failure: Exception) -> bool:
        """True if this is how the VM ended what it did when the chip stopped."""
        return self.halted and self.failure is None and self._vm.is_lua_error(failure)

    def close(self) -> None:
        """The VM goes: its functions no longer reach the board."""
        self.halted = True
        self._wired.clear()
        del self._vm, self._objects, self._called

    def _run(self, function: Callable[[], Any]) -> Answer:
        try:
            result = function()
            if type(result) is GeneratorType:
                result = self._step(result, None)
            if type(result) is _Step:
                return result.answer
            return self._results(result)
        except ArgumentFault as fault:
            return (ARGUMENT_FAULT, fault.number, fault.text)
        except LuaFault as fault:
            return (FAULT if fault.position else BARE_FAULT, fault.text)
        except OutOfHeap:
            return (OUT_OF_MEMORY,)
        except Halted:
            self.halted = True
            return (HALT,)
        except BaseException as failure:
            # The count hook may end Lua code of the board's that a builtin called.
            if self._vm.is_lua_error(failure):
                if str(failure).startswith("not enough memory"):
                    return (OUT_OF_MEMORY,)
                if self.halted:
                    return (HALT,)
            self.failure = failure
            self.halted = True
            return (HALT,)

    def _step(self, generator: Generator[Call, tuple[Value, ...], Any], values: tuple[Value, ...] | None) -> Any:
        try:
            call = next(generator) if values is None else generator.send(values)
        except StopIteration as stop:
            return stop.value
        arguments = [self.to_lua(value) for value in call.arguments]
        packed = self._vm.pack(*arguments) if arguments else None
        return _Step((CALL, generator, call.function, packed, len(arguments)))

    def _results(self, result: Any) -> Answer:
        if result is None:
            return (0,)
        if type(result) is not tuple:
            return (1, self.to_lua(result))
        count = len(result)
        if count <= 4:
            return (count, *(self.to_lua(value) for value in result))
        return (MANY, self._vm.pack(*(self.to_lua(value) for value in result)), count)

    def to_lua(self, value: Value) -> Any:
        """A value as lupa wants it."""
        if isinstance(value, LuaObject):
            return self._objects.to_lua(value)
        if isinstance(value, str):
            return value.encode("latin-1")
        return to_float(value) if type(value) is float and self._single else value


class _Step:
    """The answer of a generator that wants a call."""

    __slots__ = ("answer",)

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
