"""The Lua prompt: lines are compiled, run and answered (app/lua53/lua.c, which 5.1 shares)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bridge.virtual.lua.runtime import Runtime

#: C functions below a line's chunk on the chip's stack: the reader of the pipe, and the pipe's task.
_FRAMES_OF_LINE = 2
_FRAMES_OF_INIT = 1


class Prompt:
    """One Lua prompt.

    Args:
        lua: the VM.
    """

    def __init__(self, lua: Runtime) -> None:
        self._lua = lua
        self._pending: bytes | None = None
        self._board: Any = lua.board
        self._eof_mark = b"'<eof>'" if lua.version == "5.1" else b"<eof>"
        #: What the console prints by itself for an empty line.
        self.text = self._prompt()

    def _prompt(self) -> bytes:
        name, default = (b"_PROMPT", b"> ") if self._pending is None else (b"_PROMPT2", b">> ")
        text: bytes = self._board[b"prompt"](name, default)
        return text

    def run_line(self, line: bytes) -> None:
        """One line of input without its LF (`dojob`)."""
        if self._pending is not None:
            source = self._pending + b"\n" + line
        elif line.startswith(b"="):
            # lua_pushfstring("%s"): ends at the first NUL.
            source = b"return " + line[1:].partition(b"\0")[0]
        else:
            source = line
        self._run(source)
        self.text = self._prompt()
        self._board[b"output"](self.text)

    def _run(self, source: bytes) -> None:
        function, message = self._lua.loader.compile(source, b"=stdin")
        if function is None and message.endswith(self._eof_mark):
            self._pending = source
            return
        self._pending = None
        if function is None:
            self._lua.print_error(message, prefixed=True)
        else:
            self._lua.job(function, frames=_FRAMES_OF_LINE, prefixed=True)

    def run_init(self, command: bytes) -> None:
        """Start-up (`pmain`): "@file", "!module" or Lua source."""
        function: Any
        if command.startswith(b"!"):
            function, message = None, b"cannot load LFS." + command[1:]
        elif command.startswith(b"@"):
            function, message = self._lua.loader.compile_file(command[1:])
        else:
            function, message = self._lua.loader.compile(command, b"=INIT")
        if function is None:
            self._lua.print_error(message, prefixed=False)
        else:
            self._lua.job(function, frames=_FRAMES_OF_INIT, prefixed=False)
