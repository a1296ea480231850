"""The Lua VM in this process: made fresh at each boot, with nothing of Python in a program's reach."""

from __future__ import annotations

import ctypes
import functools
import importlib
import sys
from importlib.resources import files
from typing import Any

from bridge.virtual.lua import chunk
from bridge.virtual.lua.api import Args, LuaObject

#: Lua files of the board in the order in which they are loaded. What a program may call has the source name of a C
#: function; the rest is the board's own and ends every traceback.
_BOARD_FILES = (
    ("traceback", b"=[C]"),
    ("rotable", b"=[C]"),
    ("object", b"=[board]"),
    ("builtin", b"=[C]"),
    ("base", b"=[C]"),
    ("coroutine", b"=[C]"),
    ("strings", b"=[C]"),
    ("pipe", b"=[C]"),
    ("require", b"=[C]"),
    ("call", b"=[board]"),
    ("integral", b"=[C]"),
    ("narrow", b"=[C]"),
    ("globals", b"=[board]"),
)
#: Files for one version; the other's compiler may not even read them.
_ONLY = {"integral": "5.1", "narrow": "5.3"}
#: VM instructions between two looks of the count hook.
HOOK_STEP = 1000
#: VMs that were closed while something still held values of theirs: they go when nobody else holds them.
_closed: list[Any] = []


class Vm:
    """A host Lua VM whose values cross to Python as `bridge.virtual.lua.api` says.

    Args:
        version: "5.1" or "5.3".
    """

    def __init__(self, version: str) -> None:
        self.version = version
        #: True while the host's compiler runs.
        self.compiling = False
        sweep()
        library = importlib.import_module("lupa.lua" + version.replace(".", ""))
        self.runtime = library.LuaRuntime(
            encoding=None, unpack_returned_tuples=True, register_eval=False, register_builtins=False
        )
        # What Lua still calls as it is taken down, Python's cyclic collector or the end of the interpreter would have
        # cleared: a crash. With a reference that nobody sees, a VM that was not closed is never taken down.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.runtime))
        self.userdata_type: type = type(self.runtime.eval(b"newproxy and newproxy() or io.stdout"))
        self.layout = chunk.HOST_51 if version == "5.1" else chunk.HOST_53
        self._compile = self.runtime.eval(
            b"(function() local l, d = loadstring or load, string.dump "
            b"return function(source, name) "
            b"local f, message = l(source, name) if f then return d(f) end return nil, message end end)()"
        )
        self._load = self.runtime.eval(b"(loadstring or load)")
        self._makers: dict[int, Any] = {}
        self.pack = self.runtime.eval(b"function(...) return {...} end")
        self.set_environment = self.runtime.eval(
            b"setfenv or (function() local set = debug.setupvalue return function(f, e) set(f, 1, e) end end)()"
        )
        Args.describe = describe

    def close(self) -> None:
        """Give the VM up; it goes when the last of its values has."""
        _closed.append(self.runtime)
        del self.runtime, self._compile, self._load, self._makers, self.pack, self.set_environment
        sweep()

    def compile(self, source: bytes, name: bytes) -> tuple[bytes | None, bytes]:
        """Compile source; returns (dump, b"") or (None, the compiler's message)."""
        # The host's compiler holds all of the source, which the chip reads in pieces: no look at the heap meanwhile.
        self.compiling = True
        try:
            answer = self._compile(source, name)
        finally:
            self.compiling = False
        if isinstance(answer, tuple):
            return None, answer[1]
        return answer, b""

    def load(self, dump: bytes, name: bytes) -> Any:
        """Make a function of a dumped chunk."""
        return self._load(dump, name)

    def load_board(self, board: Any) -> None:
        """Load the board's own Lua files; each adds to the table `board`."""
        for name, source_name in _BOARD_FILES:
            if _ONLY.get(name, self.version) != self.version:
                continue
            self.load(_board_chunk(self.version, name, source_name), source_name)(board)

    @staticmethod
    def is_lua_error(error: BaseException) -> bool:
        """True for what Lua raised through Python code."""
        return type(error).__name__ == "LuaError"

    @staticmethod
    def is_lua(value: Any) -> bool:
        """True for a value that lives in the VM."""
        return type(value).__module__.startswith("lupa")

    def table(self, reserve: int = 0) -> Any:
        """An empty Lua table; with room for so many keys (up to 15) that are no list, as `lua_createtable` makes it."""
        if not reserve:
            return self.runtime.table()
        if (make := self._makers.get(reserve)) is None:
            proto = chunk.parse(self._compile(b"return {}", b"=table"), self.version)
            proto.code[0] |= reserve << 14  # operand C of NEWTABLE
            make = self._makers[reserve] = self._load(chunk.dump(proto, self.layout), b"=table")
        return make()


def sweep() -> None:
    """Let closed VMs go that nobody holds any more."""
    # Three references: the list's, the argument's, and the one that nobody sees.
    for index in range(len(_closed) - 1, -1, -1):
        if sys.getrefcount(_closed[index]) <= 3:
            ctypes.pythonapi.Py_DecRef(ctypes.py_object(_closed[index]))
            del _closed[index]


def describe(value: Any) -> str:
    """Lua's name of the type of a value that Python cannot look into."""
    if isinstance(value, LuaObject):
        return "userdata"
    kind = type(value).__name__
    return {
        "_LuaTable": "table",
        "_LuaFunction": "function",
        "_LuaCoroutineFunction": "thread",
        "_LuaThread": "thread",
    }.get(kind, "userdata")


@functools.cache
def _board_chunk(version: str, name: str, source_name: bytes) -> bytes:
    """A Lua file of the board, compiled for a version, without line numbers (as C functions have none)."""
    library = importlib.import_module("lupa.lua" + version.replace(".", ""))
    runtime = library.LuaRuntime(encoding=None, register_eval=False, register_builtins=False)
    source = (files(__package__) / "board" / f"{name}.lua").read_bytes()
    dump = runtime.eval(b"function(s, n) return string.dump(assert((loadstring or load)(s, n))) end")(
        source, source_name
    )
    proto = chunk.parse(dump, version)
    for function in chunk.walk(proto):
        function.lines, function.locals = [], []
        function.upvalue_names = [b"?"] * function.upvalues if version == "5.1" else []
    return chunk.dump(proto, chunk.HOST_51 if version == "5.1" else chunk.HOST_53)
