"""The console of NodeMCU 2.x: characters to lines or to callbacks, and each line run where it was read.

All of it is app/lua/lua.c and app/modules/uart.c of release 2.2.1. One LOW task takes bytes out of the ring, echoes
them, runs each line at its end and goes on with what is in the ring by then; there is no pipe, and no second task.
Errors go to the UART, results and prompts through `node.output`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from bridge.virtual.lua.api import Value
from bridge.virtual.lua.runtime import Runtime
from bridge.virtual.sdk.line_input import LINE_SIZE, DataHandler
from bridge.virtual.sdk.uart import Uart

_BS, _LF, _CR, _DEL = 0x08, 0x0A, 0x0D, 0x7F
#: C functions below a chunk on the chip's stack: none below a line, `pmain` below the chunk of start-up.
_FRAMES_OF_LINE, _FRAMES_OF_INIT = 0, 1
_EOF_MARK = b"'<eof>'"
#: What a callback's block is when `uart.on` does not say: it stays what it was.
KEEP = -1


class Console2x:
    """State of `gLoad` and of `uart.on`.

    Args:
        lua: the VM.
        uart: the ring and the way out.
        put: output that `node.output` does not redirect, as `uart0_sendStr`.
        echo: whether characters are echoed at first.
    """

    def __init__(self, lua: Runtime, uart: Uart, put: Callable[[bytes], None], *, echo: bool = True) -> None:
        self._lua = lua
        self._board: Any = lua.board
        self._uart = uart
        self._put = put
        self.echo = echo
        self._line = bytearray()
        self._last = 0
        self._pending: bytes | None = None
        self._handler: DataHandler | None = None
        self._run_input = True
        #: `need_len` and `end_char`: bytes of a block, or the byte that ends it; neither takes what is there.
        self._length, self._end = 0, KEEP

    @property
    def run_input(self) -> bool:
        """True in line mode."""
        return self._run_input

    def set_receiver(self, handler: DataHandler | None, length: int, end: int, run_input: bool) -> None:
        """`uart.on("data")`.

        Args:
            handler: called with data, or None.
            length: bytes per call in raw mode, or 0; with an end of `KEEP` too, the block stays what it was.
            end: the byte that ends a block, or `KEEP`.
            run_input: True for line mode, which also runs the lines.
        """
        if (length, end) != (KEEP, KEEP):
            self._length, self._end = max(length, 0), end
        self._handler, self._run_input = handler, run_input

    def start(self, command: bytes) -> None:
        """`pmain` after the banner: run "@file" or Lua source; then the first prompt."""
        if command.startswith(b"@"):
            function, message = self._lua.loader.compile_file(command[1:])
        else:
            function, message = self._lua.loader.compile(command, b"=LUA_INIT")
        self._do(function, message, frames=_FRAMES_OF_INIT, name=b"lua")
        self._say_prompt()

    def put_line(self, text: bytes) -> bool:
        """`lua_put_line` for `node.input`: False if the line is too long, or one is half typed; then it is lost."""
        if len(text) + 1 > LINE_SIZE or self._line:
            return False
        self._line += text
        return True

    def force(self) -> Generator[None, None, None]:
        """`lua_handle_input(true)`: run what `put_line` left, and then what is in the ring."""
        line, self._line = bytes(self._line), bytearray()
        self._run_line(line)
        yield from self.drain()

    def drain(self) -> Generator[None, None, None]:
        """`lua_handle_input(false)`: empty the ring. Yields when time must pass before the next byte."""
        while (line := (yield from self._readline())) is not None:
            self._run_line(line)
            yield from self._uart.catch_up()

    # -- bytes ------------------------------------------------------------------------------------------------------

    def _readline(self) -> Generator[None, None, bytes | None]:
        """`readline`: a line that is to be run, or None when the ring is empty. Each byte sees the mode of its time."""
        while (byte := (yield from self._uart.next())) is not None:
            if not self._run_input:
                self._line.append(byte)
                full = len(self._line) >= LINE_SIZE or 0 < self._length <= len(self._line)
                if full or byte == self._end:
                    yield from self._deliver()
                continue
            last, self._last = self._last, 0
            if (byte, last) in ((_CR, _LF), (_LF, _CR)):
                continue
            if byte in (_DEL, _BS):
                if self._line:
                    if self.echo:
                        self._uart.put(b"\b \b")
                    self._line.pop()
            elif byte in (_CR, _LF):
                self._last = byte
                if self.echo:
                    self._uart.put(b"\n")
                if not self._line:
                    self._say_prompt()
                    continue
                if self._handler is not None:
                    self._handler(bytes(self._line))
                    yield from self._uart.catch_up()
                line, self._line = bytes(self._line), bytearray()
                return line
            else:
                if self.echo:
                    self._uart.put(bytes([byte]))
                if len(self._line) + 1 >= LINE_SIZE:
                    self._line.clear()
                self._line.append(byte)
        if self._line and not self._run_input and self._length == 0 and self._end == KEEP:
            yield from self._deliver()
        return None

    def _deliver(self) -> Generator[None, None, None]:
        if self._handler is not None:
            self._handler(bytes(self._line))
            yield from self._uart.catch_up()
        self._line.clear()

    # -- lines ------------------------------------------------------------------------------------------------------

    def _run_line(self, line: bytes) -> None:
        """`dojob`: a line is a C string, so it ends at its first NUL."""
        text = line.partition(b"\0")[0].removesuffix(b"\n")
        if self._pending is not None:
            source = self._pending + b"\n" + text
        else:
            source = b"return " + text[1:] if text.startswith(b"=") else text
        function, message = self._lua.loader.compile(source, b"=stdin")
        if function is None and message.endswith(_EOF_MARK):
            self._pending = source
        else:
            self._pending = None
            self._do(function, message, frames=_FRAMES_OF_LINE, name=None)
        self._say_prompt()

    def _do(self, function: Value, message: bytes, *, frames: int, name: bytes | None) -> None:
        self._lua.job_2x(function, message, frames=frames, name=name)

    def _say_prompt(self) -> None:
        """`c_puts(prmt)`: an error in the function of `node.output` has no handler here."""
        name, default = (b"_PROMPT", b"> ") if self._pending is None else (b"_PROMPT2", b">> ")
        text: bytes = self._board[b"prompt"](name, default)
        function = self._board[b"stdout"]
        if function is None or self._board[b"serial"]:
            self._put(text)
        if function is not None:
            self._lua.unprotected(function, text, kind="console line")
