"""The Lua of one boot: a VM with the firmware's libraries in it, as modules and console see it.

Implements `bridge.virtual.sdk.kernel.Runtime`. Behaviour of calls and errors: app/lua/lnodemcu.c, app/lua/lauxlib.c.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from bridge.virtual.heap_memory import memory_of
from bridge.virtual.lua.answers import Answers
from bridge.virtual.lua.api import Args, Builtin, LuaFault, LuaObject, Module, ObjectType, Value
from bridge.virtual.lua.loading import Loader
from bridge.virtual.lua.objects import Objects
from bridge.virtual.lua.vm import HOOK_STEP, Vm
from bridge.virtual.sdk.kernel import Halted


class Services(Protocol):
    """What the VM needs of the board around it."""

    def put(self, text: bytes) -> None:
        """Output of `print` and of prompts that is not redirected."""

    def print(self, text: bytes) -> None:
        """Output that cannot be redirected (`dbg_printf`)."""

    def output_failed(self, message: Value) -> None:
        """The pipe of `node.output` raised."""

    def tick(self, kilobytes: float) -> int | None:
        """Every `HOOK_STEP` instructions: None to go on, 1 if the heap is used up, 2 to end the task."""

    def built(self, size: int) -> bool:
        """A program built strings of so many bytes since the last call: True if the heap is used up."""

    def called(self) -> None:
        """A function of the firmware was called."""

    def began(self) -> None:
        """Lua code is about to run, for the first time since `Runtime.ran` was cleared."""

    def post_function(self, priority: int, function: Value) -> None:
        """`luaL_posttask`; raises LuaFault when the queue is full."""

    def read_file(self, name: bytes) -> bytes | None:
        """A file's contents, or None."""

    def loading(self, source_size: int, dump: bytes | None) -> None:
        """A chunk is about to be compiled or undumped; raises OutOfHeap when that would not fit."""

    def report(self, message: Value) -> None:
        """A protected callback raised: pass the message to `onerror` by a task."""

    def panic(self, message: bytes) -> None:
        """An unprotected callback raised."""

    def collectgarbage(self, arguments: Args) -> Value:
        """The base library's `collectgarbage`."""


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
    """

    def __init__(self, version: str, services: Services, object_types: Iterable[ObjectType] = ()) -> None:
        self.version = version
        self._services = services
        self.vm = Vm(version)
        #: Values that failed callbacks left on the chip's Lua stack (lnodemcu.c luaL_pcallx): code that counts from
        #: the bottom of the stack finds them in place of its own.
        self.leaked: list[Value] = []
        self.closed = False
        #: True when Lua code has run since somebody last set this to False.
        self.ran = False
        #: How often Lua code was run, for who takes off what that costs here only.
        self.runs = 0
        board = self.board = self.vm.table()
        self.objects = Objects(self.vm, board, self._make_type)
        self.answers = Answers(self.vm, self.objects, services.called)
        self.loader = Loader(self.vm, services.read_file, services.loading)
        self._prepare(board)
        self.vm.load_board(board)
        self._call = board[b"call"]
        self._call_bare = board[b"call_bare"]
        for kind in object_types:
            self.objects.prepare(kind)
        board[b"install_hook"]()
        self._memory = memory_of(version, self.state_address())
        self._hook_began = 0

    def _prepare(self, board: Any) -> None:
        services, bind, wire = self._services, self.answers.bind, self.answers.wire
        vm = self.vm.runtime
        board[b"is_53"] = self.version == "5.3"
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
        board[b"output_failed"] = self._guarded(services.output_failed)
        board[b"tick"] = wire(self._tick)
        board[b"built"] = wire(services.built)
        # While `manual_collector` is set the host's collector never starts by itself (a full collection restarts it).
        board[b"collect"] = vm.eval(
            b"(function(B) local run = collectgarbage "
            b"return function() run() if B.manual_collector then run('stop') end end end)"
        )(board)
        board[b"start_collector"] = vm.eval(
            b"(function() local run = collectgarbage return function() run('restart') end end)()"
        )
        board[b"load_file"] = wire(self.loader.load_file)
        board[b"file_exists"] = wire(lambda name: services.read_file(name) is not None)
        board[b"python_post"] = bind(self._post)
        board[b"python_dump"] = bind(self.loader.dump)

    def _guarded(self, function: Callable[[Any], None]) -> Callable[..., Any]:
        def call(value: Any) -> None:
            if not self.answers.halted:
                try:
                    function(value)
                except Halted:
                    self.answers.halted = True

        return self.answers.wire(call)

    def _tick(self, kilobytes: float) -> int | None:
        return 2 if self.answers.halted else self._services.tick(kilobytes)

    def _post(self, arguments: Args) -> None:
        self._services.post_function(int(arguments[0]), arguments[1])

    # -- building ---------------------------------------------------------------------------------------------------

    def add_module(self, module: Module) -> None:
        """Make a module visible to programs."""
        values, order = self._table_of(module)
        self.board[b"add_module"](module.name.encode(), values, order)

    def _table_of(self, module: Module) -> tuple[Any, Any]:
        values, order = self.vm.table(), self.vm.table()
        for position, (name, entry) in enumerate(module.entries.items(), 1):
            key = name.encode()
            order[position] = key
            if isinstance(entry, Module):
                meta = self.table({"__index": self.function(entry.index)}) if entry.index else None
                values[key] = self.board[b"rotable"](*self._table_of(entry), meta)
                self.loader.firmware_names.update(inner.encode() for inner in entry.entries)
            elif callable(entry) and not self.vm.is_lua(entry):
                values[key] = self.function(entry)
                self.loader.firmware_names.add(key)
            else:
                values[key] = self.answers.to_lua(entry)
                self.loader.firmware_names.add(key)
        return values, order

    def function(self, builtin: Builtin) -> Value:
        """A Lua function for a builtin; to Lua it looks like a C function."""
        return self.board[b"wrap"](self.answers.bind(builtin), self.answers.resume)

    def _make_type(self, kind: ObjectType) -> None:
        methods, order = self.vm.table(), self.vm.table()
        for position, (name, builtin) in enumerate(kind.methods.items(), 1):
            methods[name.encode()] = self.function(builtin)
            order[position] = name.encode()
        self.loader.firmware_names.update(name.encode() for name in kind.methods)
        metamethods = self.vm.table()
        for name, builtin in kind.metamethods.items():
            metamethods[name.encode()] = self.function(builtin)
        shown = self.board[b"rotable"](methods, order)
        self.board[b"new_type"](kind.name.encode(), metamethods, methods, shown, self.answers.wire(self._collected))

    def _collected(self, number: int) -> None:
        if self.closed:
            return
        try:
            self.objects.collected(number)
        except Halted:
            self.answers.halted = True

    # -- running ----------------------------------------------------------------------------------------------------

    def protected(self, function: Value, *arguments: Value, frames: int = 0) -> None:
        """As `luaL_pcallx`: an error goes to `onerror` by a task.

        Args:
            function: the Lua function.
            arguments: its arguments.
            frames: C functions that lie below it on the chip's stack (they show in tracebacks).
        """
        status, *results = self._run(frames, function, arguments)
        if status == b"error":
            self.leaked.append(None)
            self._services.report(results[0])
        elif status == b"memory":
            self.leaked.append(b"not enough memory")
            self.collect()
            self._services.report(b"out of memory")

    def unprotected(self, function: Value, *arguments: Value) -> tuple[Value, ...]:
        """As `lua_call` from C without a handler: an error is a PANIC.

        Raises:
            Halted: after a PANIC.
        """
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

    def table(self, items: dict[Any, Any] | list[Any]) -> Value:
        """A fresh Lua table; str keys and values become strings, nested dicts and lists become tables."""
        made = self.vm.table()
        pairs = items.items() if isinstance(items, dict) else enumerate(items, 1)
        for key, value in pairs:
            value = self.table(value) if isinstance(value, dict | list) else self.answers.to_lua(value)
            if value is not None:
                made[self.answers.to_lua(key)] = value
        return made

    def items(self, table: Value) -> list[tuple[Value, Value]]:
        """The pairs of a Lua table, without metamethods."""
        from_lua = self.objects.from_lua
        return [(from_lua(key), from_lua(value)) for key, value in table.items()]

    def get(self, table: Value, key: str | bytes | int) -> Value:
        """A field of a Lua table, without metamethods."""
        return self.objects.from_lua(self.board[b"raw_get"](table, self.answers.to_lua(key)))

    def pin(self, thing: LuaObject) -> None:
        """Keep the object's userdata alive (a registry reference)."""
        self.objects.pin(thing)

    def unpin(self, thing: LuaObject) -> None:
        """Drop that reference."""
        self.objects.unpin(thing)

    def collect(self) -> None:
        """A full collection; `collected` of dropped objects is called before this returns."""
        self.board[b"collect"]()

    def set_manual_collector(self, manual: bool) -> None:
        """Whether the host's collector runs only when `collect` is called."""
        self.board[b"manual_collector"] = manual
        if manual:
            self.collect()
        else:
            self.board[b"start_collector"]()

    def instructions(self) -> int:
        """VM instructions that ran since this was last asked (in coroutines to `HOOK_STEP`)."""
        whole = int(self.board[b"instructions"]())
        every, left = self._memory.hook_counts()
        began, self._hook_began = self._hook_began, every - left
        return max(0, whole + self._hook_began - began)

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
        del self._call, self._call_bare, self.board
        self.vm.close()


def panic_text(message: Value) -> bytes:
    """What the panic function prints for an error value that is not a string: `lua_tostring`, as "%s" prints it."""
    if isinstance(message, int | float) and not isinstance(message, bool):
        return b"%d" % message if message == int(message) else repr(message).encode()
    return b"(null)"
