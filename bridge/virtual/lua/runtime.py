"""The Lua of one boot: a VM with the firmware's libraries in it, as modules and console see it.

Implements `bridge.virtual.sdk.kernel.Runtime`. Behaviour of calls and errors: app/lua/lnodemcu.c, app/lua/lauxlib.c.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bridge.virtual.heap.memory import memory_of
from bridge.virtual.lua.answers import Answers
from bridge.virtual.lua.api import Args, Builtin, LuaFault, LuaObject, Module, ObjectType, Value
from bridge.virtual.lua.building import Builder
from bridge.virtual.lua.loading import Loader
from bridge.virtual.lua.objects import Objects
from bridge.virtual.lua.services import Services
from bridge.virtual.lua.tables import Tables
from bridge.virtual.lua.vm import HOOK_STEP, Vm
from bridge.virtual.sdk.kernel import Halted


class LuaRaised(Exception):
    """Lua raised in `Runtime.call`.

    Args:
        message: the error value; bytes with a traceback if it was a string.
    """

    def __init__(self, message: Value) -> None:
        super().__init__(message)
        self.message = message


class Runtime:
    """A Lua VM with the base library, ready for modules.

    Args:
        version: "5.1" or "5.3".
        services: the board around it.
        object_types: metatables that the firmware's modules will use.
        is_2x: the firmware is a NodeMCU 2.x: no callback is protected, and ROM has types of its own.
        integers: it is the integer build of 5.1 (`bridge.virtual.lua.integral`).
    """

    def __init__(
        self,
        version: str,
        services: Services,
        object_types: Iterable[ObjectType] = (),
        *,
        is_2x: bool = False,
        integers: bool = False,
    ) -> None:
        self.version = version
        self.is_2x = is_2x
        self._integers = integers and version == "5.1"
        self._services = services
        self.vm = Vm(version)
        #: What failed callbacks left on the chip's Lua stack (luaL_pcallx): code that counts from its bottom finds it.
        self.leaked: list[Value] = []
        self.closed = False
        #: True when Lua code has run since somebody last set this to False.
        self.ran = False
        #: How often Lua code was run, for who takes off what that costs here only.
        self.runs = 0
        board = self.board = self.vm.table()
        self.objects = Objects(self.vm, board, lambda kind: self._builder.make_type(kind))
        self.answers = Answers(self.vm, self.objects, services.called)
        self.loader = Loader(self.vm, services, errors_end=b"" if is_2x else b": ", integers=self._integers)
        self._builder = Builder(self.vm, board, self.answers, self.loader, self._collected)
        self.tables = Tables(self.vm, self.answers.to_lua)
        self._prepare(board)
        self.vm.load_board(board)
        self.loader.is_c_global = board[b"is_c_global"]
        self._call = board[b"call"]
        self._call_bare = board[b"call_bare"]
        self._instructions = board[b"instructions"]
        self._collect = board[b"collect"]
        for kind in object_types:
            self.objects.prepare(kind)
        board[b"install_hook"]()
        self._memory = memory_of(version, self.state_address())
        self._hook_began = self._asking = 0
        self.instructions()
        self._asking = self.instructions()

    def _prepare(self, board: Any) -> None:
        services, bind, wire = self._services, self.answers.bind, self.answers.wire
        vm = self.vm.runtime
        board[b"is_53"] = self.version == "5.3"
        board[b"is_2x"] = self.is_2x
        board[b"integers"] = self._integers
        board[b"globals"] = vm.globals()
        board[b"loaded"] = self.vm.table()
        board[b"raw_getmetatable"] = vm.eval(b"debug.getmetatable")
        board[b"hook_step"] = HOOK_STEP
        python = board[b"python"] = self.vm.table()
        library: dict[str, Builtin] = {
            "collectgarbage": services.collectgarbage,
            "gcinfo": lambda arguments: int(float(services.collectgarbage(Args((b"count",))))),
            "load": self.loader.load,
            "loadstring": self.loader.loadstring,
            "loadfile": self.loader.loadfile,
            "dofile": self.loader.dofile,
        }
        for name, builtin in library.items():
            python[name.encode()] = bind(builtin)
        board[b"resume"] = self.answers.resume
        board[b"send"] = self._guarded(services.put)
        board[b"direct"] = self._guarded(services.print)
        board[b"full_collection"] = self._guarded(lambda _: services.full_collection())
        board[b"output_failed"] = self._guarded(services.output_failed)
        board[b"tick"] = wire(self._tick)
        board[b"key_order"] = wire(self.tables.globals_order)
        board[b"built"] = wire(services.built)
        # While `manual_collector` is set the host's collector never starts by itself (a full collection restarts it).
        board[b"collect"] = vm.eval(
            b"(function(B) local run, pcall, tostring = collectgarbage, pcall, tostring "
            b"return function() local ok, message = pcall(run) if B.manual_collector then run('stop') end "
            b"if not ok then return tostring(message) end end end)"
        )(board)
        board[b"start_collector"] = vm.eval(
            b"(function() local run = collectgarbage return function() run('restart') end end)()"
        )
        # Bound, not wired: the compiler may run out of heap, and reading may outlast the watchdog.
        board[b"python_load_file"] = bind(lambda arguments: self.loader.load_file(arguments[0]))
        board[b"python_file_exists"] = bind(lambda arguments: services.read_file(arguments[0]) is not None)
        board[b"python_post"] = bind(self._post)
        board[b"python_dump"] = bind(self.loader.dump)

    def _guarded(self, function: Callable[[Any], None]) -> Callable[..., Any]:
        def call(value: Any) -> None:
            if not self.answers.halted:
                try:
                    function(value)
                except Halted:
                    self.answers.halted = True
                except BaseException as failure:
                    self._fail(failure)

        return self.answers.wire(call)

    def _tick(self, kilobytes: float) -> int | None:
        if self.answers.halted:
            return 2
        if self.vm.compiling:
            return None
        try:
            return self._services.tick(kilobytes)
        except BaseException as failure:
            self._fail(failure)
            return 2

    def _fail(self, failure: BaseException) -> None:
        # Such as KeyboardInterrupt, which a signal raises wherever Python runs: no program may catch it.
        self.answers.failure = failure
        self.answers.halted = True

    def _post(self, arguments: Args) -> None:
        self._services.post_function(int(arguments[0]), arguments[1])

    # -- building ---------------------------------------------------------------------------------------------------

    def add_module(self, module: Module) -> None:
        """Make a module visible to programs."""
        self._builder.add_module(module)

    def function(self, builtin: Builtin) -> Value:
        """A Lua function for a builtin; to Lua it looks like a C function."""
        return self._builder.function(builtin)

    def _collected(self, number: int) -> None:
        if self.closed:
            return
        try:
            self.objects.collected(number)
        except Halted:
            self.answers.halted = True

    # -- running ----------------------------------------------------------------------------------------------------

    def protected(self, function: Value, *arguments: Value, frames: int = 0, kind: str = "callback") -> None:
        """As `luaL_pcallx`: an error goes to `onerror` by a task. On 2.x as `lua_call`: an error is a PANIC.

        Args:
            function: the Lua function.
            arguments: its arguments.
            frames: C functions that lie below it on the chip's stack (they show in tracebacks).
            kind: what is running, for statistics.
        """
        if self.is_2x:
            self.unprotected(function, *arguments, kind=kind)
            return
        self._services.doing(kind)
        status, *results = self._run(frames, function, arguments)
        if status == b"error":
            self.leaked.append(None)
            self._services.report(results[0])
        elif status == b"memory":
            self.leaked.append(b"not enough memory")
            self._services.full_collection()
            self._services.report(b"out of memory")

    def unprotected(self, function: Value, *arguments: Value, kind: str = "net callback") -> tuple[Value, ...]:
        """As `lua_call` from C without a handler: an error is a PANIC.

        Raises:
            Halted: after a PANIC.
        """
        self._services.doing(kind)
        self._begin()
        answer = self._call_bare(function, *map(self.answers.to_lua, arguments))
        status, results = self._status(answer)
        if status == b"ok":
            return results
        message = results[0]
        self._services.panic(message if isinstance(message, bytes) else panic_text(message))
        self.answers.halted = True
        raise Halted

    def call(self, function: Value, *arguments: Value) -> tuple[Value, ...]:
        """Call in protected mode.

        Raises:
            LuaRaised: on an error.
        """
        status, *results = self._run(0, function, arguments)
        if status != b"ok":
            raise LuaRaised(results[0])
        return tuple(results)

    def job(self, function: Value, *, frames: int, prefixed: bool) -> None:
        """Run a chunk of the console or of start-up and print what comes of it (lua.c docall, dojob, pmain).

        Args:
            function: the chunk.
            frames: C functions below it.
            prefixed: results are printed, and errors begin with "Lua error: ".
        """
        self._begin()
        self.board[b"job"](frames, function, prefixed)
        self._unwound()

    def job_2x(self, function: Value, message: Value, *, frames: int, name: bytes | None) -> None:
        """As 2.x: run a chunk, or print why there is none; `name` is that of start-up, or None."""
        self._services.doing("console line")
        self._begin()
        if function is None:
            self.board[b"report_2x"](name, message)
        else:
            self.board[b"job_2x"](frames, function, name)
        self._unwound()

    def print_error(self, message: Value, *, prefixed: bool) -> None:
        """Print a message as the console prints an error."""
        self.board[b"print_text"](prefixed, message)
        self._unwound()

    def _begin(self) -> None:
        self.runs += 1
        if not self.ran:
            self.ran = True
            self._services.began()

    def _run(self, frames: int, function: Value, arguments: tuple[Value, ...]) -> tuple[Any, ...]:
        self._begin()
        answer = self._call(frames, function, *map(self.answers.to_lua, arguments))
        status, results = self._status(answer)
        return (status, *results)

    def _status(self, answer: Any) -> tuple[bytes, tuple[Value, ...]]:
        status, results = (answer[0], answer[1:]) if isinstance(answer, tuple) else (answer, ())
        self._unwound()
        if status == b"halt":
            raise Halted
        results = tuple(self.objects.from_lua(value) for value in results)
        return status, results if status == b"ok" or results else (None,)

    def _unwound(self) -> None:
        if self.answers.failure is not None:
            failure, self.answers.failure = self.answers.failure, None
            raise failure
        if self.answers.halted:
            raise Halted

    # -- looking into values ----------------------------------------------------------------------------------------

    def table(self, items: dict[Any, Any] | list[Any], reserve: int = 0) -> Value:
        """A fresh Lua table, as `bridge.virtual.lua.tables` makes it."""
        return self.tables.make(items, reserve)

    def items(self, table: Value) -> list[tuple[Value, Value]]:
        """The pairs of a Lua table, without metamethods."""
        return [(self.objects.from_lua(key), self.objects.from_lua(value)) for key, value in table.items()]

    def get(self, table: Value, key: str | bytes | int) -> Value:
        """A field of a Lua table, without metamethods."""
        return self.objects.from_lua(self.board[b"raw_get"](table, self.answers.to_lua(key)))

    def pin(self, thing: LuaObject) -> None:
        """Keep the object's userdata alive (a registry reference)."""
        self.objects.pin(thing)

    def unpin(self, thing: LuaObject) -> None:
        """Drop that reference."""
        self.objects.unpin(thing)

    def collect(self) -> bytes | None:
        """A full collection; `collected` of dropped objects is called before this returns. Nothing once it has halted.

        Returns:
            What a finalizer of the program raised, or None.

        Raises:
            Halted: a finalizer went on for ever, or the watchdog's time is over.
        """
        if self.answers.halted:
            return None  # only a restart follows, and code of the VM would be interrupted at once
        try:
            message = self._collect()
        except Exception as failure:  # the hook may end the collection itself, when the watchdog's time is over
            if not (self.answers.halted and self.vm.is_lua_error(failure)):
                raise
        self._unwound()
        return message if isinstance(message, bytes) else None

    def set_manual_collector(self, manual: bool) -> None:
        """Whether the host's collector runs only when `collect` is called."""
        self.board[b"manual_collector"] = manual
        (self.collect if manual else self.board[b"start_collector"])()

    def instructions(self) -> int:
        """VM instructions that ran since this was last asked (in coroutines to `HOOK_STEP`).

        Without those of the Lua that stands in for what is C on the chip.
        """
        whole = int(self._instructions())
        every, left = self._memory.hook_counts()
        began, self._hook_began = self._hook_began, every - left
        spent = int(self.board[b"spent"])
        self.board[b"spent"] = 0
        return max(0, whole + self._hook_began - began - self._asking - spent)

    @property
    def references(self) -> int:
        """Lua values that the firmware holds, some of them always: on the chip, slots of the registry in use."""
        return int(self.board[b"references"]())

    def state_address(self) -> int:
        """Address in this process of a `lua_State` of the VM."""
        return int(self.board[b"thread_text"]().rpartition(b"0x")[2], 16)

    @property
    def string_limit(self) -> int:
        """Length that strings may not reach (5.1's collector limit), or 0."""
        return int(self.board[b"limit"] or 0) if self.version == "5.1" else 0

    @string_limit.setter
    def string_limit(self, limit: int) -> None:
        self.board[b"limit"] = limit

    def library(self, name: str) -> Value:
        """A function of the base library by its name, e.g. "string.match"."""
        value = self.board[b"rom_values"]
        for part in name.split("."):
            value = self.board[b"rom_get"](value, part.encode())
        return value

    def check_length(self, text: bytes) -> bytes:
        """For builtins that build their result in a `luaL_Buffer`: refuse what 5.1 refuses.

        Raises:
            LuaFault: "string length overflow".
        """
        if 0 < self.string_limit <= len(text):
            raise LuaFault("string length overflow", position=False)
        return text

    def stop(self) -> None:
        """Take the VM down. Values of it that somebody still holds become useless."""
        if self.closed:
            return
        self.closed = True
        self.board[b"remove_hook"]()
        self.board[b"forget_types"]()
        self.objects.close()
        self.answers.close()
        self._builder.close()
        del self._call, self._call_bare, self._instructions, self._collect, self.board, self.tables
        self.vm.close()


def panic_text(message: Value) -> bytes:
    """What the panic function prints for an error value that is not a string: `lua_tostring`, as "%s" prints it."""
    if isinstance(message, int | float) and not isinstance(message, bool):
        return b"%d" % message if message == int(message) else repr(message).encode()
    return b"(null)"
