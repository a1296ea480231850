"""Loading of chunks: `load`, `loadstring`, `loadfile`, `dofile`, `string.dump` and the console's lines.

Every chunk that a program can bring in comes through here and is rewritten to behave as compiled on the chip
(`rewrite`). Sources: app/lua/lbaselib.c, app/lua/lauxlib.c, app/lua53/lbaselib.c.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Generator
from typing import Any

from bridge.virtual.lua import chunk, hidden, integral, narrow, numerals, rewrite
from bridge.virtual.lua.api import Args, Call, LuaFault, Value
from bridge.virtual.lua.rewrite import Strip
from bridge.virtual.lua.services import Services
from bridge.virtual.lua.vm import Vm
from bridge.virtual.sdk.kernel import OutOfHeap

#: What Lua says of a chunk that the heap does not hold.
NO_MEMORY = b"not enough memory"
_CACHED_CHUNKS = 200
_COMMENT = re.compile(rb"--[^\n\[][^\n]*")
#: Pieces of source after which `load` first looks whether they can become a chunk.
_FIRST_LOOK = 16


class Loader:
    """Compiles chunks for one VM.

    Args:
        vm: the VM.
        services: the board around it: its files, and what it does when a chunk is loaded.
        integers: the chunks are for the integer build of 5.1.
        errors_end: what stands behind the name of a file that is not there: 3.x puts an empty `strerror` there.
    """

    def __init__(self, vm: Vm, services: Services, errors_end: bytes = b": ", *, integers: bool = False) -> None:
        self._vm = vm
        self._services = services
        self._loading = services.loading
        self._errors_end = errors_end
        self._integers = integers
        #: `node.stripdebug` of chunks to come.
        self.strip = Strip.NAMES
        #: Names of the firmware's functions, for `rewrite.untail`.
        self.firmware_names: set[bytes] = set(_BASE_NAMES.encode().split())
        #: Tells whether a global is a function that is C's on the chip.
        self.is_c_global: Callable[[bytes], Any] = lambda name: False
        # True if the chunk at hand was rewritten by what a global is now, and may not be used again.
        self._passing = False
        self._cache: OrderedDict[tuple[bytes, bytes, Strip], tuple[bytes, chunk.Proto]] = OrderedDict()

    def compile(self, source: bytes, name: bytes) -> tuple[Value, bytes]:
        """Load text or a precompiled chunk.

        Args:
            source: Lua source, or what `dump` or `node.compile` wrote.
            name: chunk name as in C, with "=" or "@" before it.

        Returns:
            The function and b"", or None and the message; also when the compiler's need does not fit into the chip's
            heap, since the parser is protected (ldo.c `luaD_protectedparser`).
        """
        try:
            return self._compile(source, name)
        except OutOfHeap:
            return None, NO_MEMORY

    def _compile(self, source: bytes, name: bytes) -> tuple[Value, bytes]:
        self._services.compiling()
        if chunk.is_chunk(source):
            self._loading(0, source, None)
            return self._undump(source, name)
        key = (source, name, self.strip)
        dump, whole = self._cache.get(key, (None, None))
        if dump is None or whole is None:
            compiled, message = self._compiled(source, name)
            self._services.compiled()
            message = rewrite.limit_of_locals(message) if self._vm.version == "5.1" else message
            if compiled is None:
                # What was compiled before the error is gone; the source without its comments is about as large.
                self._loading(len(_COMMENT.sub(b"", source)), None, None)
                return None, message
            whole = chunk.parse(compiled, self._vm.version)
            self._passing = False
            try:
                dump = self._rewritten(compiled, name)
            except rewrite.TooManyLocals as excess:
                return None, str(excess).encode("latin-1")
            if not self._passing:
                self._cache[key] = dump, whole
            if len(self._cache) > _CACHED_CHUNKS:
                self._cache.popitem(last=False)
        else:
            self._cache.move_to_end(key)
        self._loading(len(source), None, whole)
        function = self._vm.load(dump, name)
        self._services.loaded(len(dump))
        return function, b""

    def _compiled(self, source: bytes, name: bytes) -> tuple[bytes | None, bytes]:
        """As `Vm.compile`, with the chip's numerals; messages quote the source as it was."""
        if self._integers and (bad := numerals.malformed(source)) is not None:
            # The lexer complains when it gets there, unless the parser has found fault with what comes before.
            before = self._vm.compile(source[: bad.at], name)
            if before[0] is None and not before[1].endswith(b"'<eof>'"):
                return self._vm.compile(source, name)
            return None, b"%b:%d: malformed number near '%b'" % (shown_name(name), bad.line, bad.text)
        meant = source
        if self._integers:
            meant = numerals.of_ints(source)
        elif self._vm.layout.is_53:
            meant = numerals.of_5_3(source)
        answer = self._vm.compile(meant, name)
        return answer if answer[0] is not None or meant == source else self._vm.compile(source, name)

    def _rewritten(self, compiled: bytes, name: bytes) -> bytes:
        proto = chunk.parse(compiled, self._vm.version)
        if self._vm.version == "5.1":
            rewrite.check_limits(proto, shown_name(name))
        self._rewrite(proto)
        rewrite.strip(proto, self.strip, self._vm.version)
        return chunk.dump(proto, self._vm.layout)

    def _rewrite(self, proto: chunk.Proto) -> None:
        """Make what the chip's compiler made behave here as it does there."""
        if self._vm.version == "5.1":
            if self._integers:
                integral.rewrite(proto)
            rewrite.check_concats(proto)
        else:
            narrow.rewrite(proto)
        rewrite.untail(proto, self.firmware_names, self._vm.version, self._is_c)

    def _is_c(self, name: bytes) -> bool:
        """Whether a global is a function of the firmware at this moment, under a name of the program's own."""
        self._passing = True
        return bool(self.is_c_global(name))

    def _undump(self, data: bytes, name: bytes) -> tuple[Value, bytes]:
        version = self._vm.version
        try:
            proto = chunk.parse(data, version)
            if not hidden.is_rewritten(proto):
                self._rewrite(proto)
            dump = chunk.dump(proto, self._vm.layout)
        except chunk.BadChunk as bad:
            shown = name[1:] if name[:1] in (b"=", b"@") else name
            return None, (b"binary string" if chunk.is_chunk(shown) else shown) + b": " + bad.text(version).encode()
        loaded = self._vm.load(dump, name)
        self._services.loaded(len(dump))
        return (None, loaded[1]) if isinstance(loaded, tuple) else (loaded, b"")

    def precompiled(self, source: bytes, name: bytes) -> bytes:
        """What `node.compile` writes of source that has been loaded: the compiler's own code."""
        compiled, message = self._compiled(source, b"@" + name)
        assert compiled is not None, message
        return self.dumped(compiled, strip=True)

    def dumped(self, function_dump: bytes, strip: bool) -> bytes:
        """A chunk of this process in the chip's layout, narrowed to its numbers."""
        proto = chunk.parse(function_dump, self._vm.version)
        if self._vm.layout.is_53:
            narrow.narrow_constants(proto)
        elif self._integers:
            integral.round_constants(proto)
        if strip:
            rewrite.strip(proto, Strip.NAMES_AND_LINES, self._vm.version)
        return chunk.dump(proto, chunk.CHIP_53 if self._vm.layout.is_53 else chunk.CHIP_51)

    # -- the base library -------------------------------------------------------------------------------------------

    def loadstring(self, arguments: Args) -> Value:
        """5.1 `loadstring(s[, name])`."""
        source = arguments.check_string(1)
        return self._result(self.compile(source, arguments.opt_string(2, source)))

    def load(self, arguments: Args) -> Any:
        """`load(reader[, name])`; on 5.3 also `load(s[, name[, mode[, env]]])`, and `loadstring` is the same."""
        if self._vm.layout.is_53 and arguments.is_string(1):
            source = arguments.check_string(1)
            return self._load_53(arguments, source, arguments.opt_string(2, source))
        return self._load_pieces(arguments)

    def _load_pieces(self, arguments: Args) -> Generator[Call, tuple[Value, ...], Any]:
        name = arguments.opt_string(2, b"=(load)")
        reader = arguments.check_function(1)
        source, pieces, complaint = b"", 0, b""
        while True:
            # The chip's parser reads on only while there is sense in what it reads. What it would have stopped at shows
            # by standing for two looks (one look may have hit the middle of a token). That there should be more to read
            # is no complaint.
            if pieces >= _FIRST_LOOK and pieces & pieces - 1 == 0 and not chunk.is_chunk(source):
                self._services.compiling()
                again = self._vm.compile(source, name)[1]
                self._services.compiled()
                if again and again == complaint:
                    return None, again
                complaint = b"" if again.rstrip(b"'").endswith(b"<eof>") else again
            pieces += 1
            results = yield Call(reader)
            piece = Args(results[:1])
            if piece.get(1) is None or piece.get(1) == b"":
                break
            if not piece.is_string(1):
                return None, b"reader function must return a string"
            source += piece.check_string(1)
        if self._vm.layout.is_53:
            return self._load_53(arguments, source, name)
        return self._result(self.compile(source, name))

    def _load_53(self, arguments: Args, source: bytes, name: bytes) -> Value:
        mode = arguments.opt_string(3, b"bt")
        kind = b"b" if chunk.is_chunk(source) else b"t"
        if kind not in mode:
            text = "binary" if kind == b"b" else "text"
            message = f"attempt to load a {text} chunk (mode is '{mode.decode('latin-1')}')".encode("latin-1")
            return None, message
        function, message = self.compile(source, name)
        if function is not None and not arguments.is_none(4):
            self._vm.set_environment(function, arguments.get(4))
        return self._result((function, message))

    def loadfile(self, arguments: Args) -> Value:
        """`loadfile(name)`."""
        function, message = self.compile_file(self._file_name(arguments))
        if function is not None and self._vm.layout.is_53 and not arguments.is_none(3):
            self._vm.set_environment(function, arguments.get(3))
        return self._result((function, message))

    def dofile(self, arguments: Args) -> Generator[Call, tuple[Value, ...], Any]:
        """`dofile(name)`."""
        function, message = self.compile_file(self._file_name(arguments))
        if function is None:
            raise LuaFault(message, position=False)
        results = yield Call(function)
        return results

    @staticmethod
    def _file_name(arguments: Args) -> bytes:
        name = arguments.opt_string(1, b"")
        if arguments.get(1) is None:
            raise LuaFault("filename is NULL")
        return name

    def load_file(self, name: bytes) -> Any:
        """For Lua: a function, or nil and the message."""
        function, message = self.compile_file(name)
        return function if function is not None else (None, message)

    def compile_file(self, name: bytes) -> tuple[Value, bytes]:
        """As `luaL_loadfile`: the function and b"", or None and the message."""
        data = self.read_source(name)
        if data is None:
            return None, b"cannot open %b%b" % (name, self._errors_end)
        return self.compile(data, b"@" + name)

    def read_source(self, name: bytes) -> bytes | None:
        """A file without its first line if that begins with "#", or None if there is none."""
        data = self._services.read_file(name)
        if data is not None and data.startswith(b"#"):
            end = data.find(b"\n")
            data = data[end:] if end >= 0 else b""
            if chunk.is_chunk(data[1:]):
                data = data[1:]
        return data

    def dump(self, arguments: Args) -> bytes:
        """`string.dump(f[, strip])`: the first argument here is what the host's own function gave, then f and strip."""
        return self.dumped(arguments[0], bool(arguments.get(3)))

    @staticmethod
    def _result(loaded: tuple[Value, bytes]) -> Value:
        function, message = loaded
        return function if function is not None else (None, message)


def shown_name(name: bytes) -> bytes:
    """A chunk name as messages of 5.1 show it (`luaO_chunkid` in app/lua/lobject.c)."""
    if name[:1] == b"=":
        return name[1:60]
    if name[:1] == b"@":
        return name[1:] if len(name) <= 53 else b"..." + name[-52:]
    line = re.split(rb"[\r\n]", name)[0][:43]
    return b'[string "' + (line if line == name else line + b"...") + b'"]'


_BASE_NAMES = (
    "assert collectgarbage dofile error gcinfo getfenv getmetatable ipairs loadfile load loadstring module next "
    "newproxy pairs pcall print rawequal rawget rawlen rawset require select setfenv setmetatable tonumber tostring "
    "type unpack xpcall traceback byte char dump find format gfind gmatch gsub len lower match rep reverse sub upper "
    "pack packsize concat foreach foreachi getn insert maxn move remove setn sort create resume running status wrap "
    "yield isyieldable abs acos asin atan ceil cos deg exp floor fmod log max min modf pow rad random randomseed sin "
    "sqrt tan tointeger write read unread reader nrec"
)
