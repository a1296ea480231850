"""The console's input: characters to lines, or to callbacks of `uart.on` (app/driver/input.c).

Everything odd here is the chip's: the head of a line that is too long is dropped, a half-typed line becomes the start
of raw data and the other way round, and a callback that is taken away while bytes wait is called all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Protocol

from bridge.virtual.sdk.uart import Uart

#: LUA_MAXINPUT
LINE_SIZE = 256
_BS, _LF, _CR, _DEL = 0x08, 0x0A, 0x0D, 0x7F

#: Called with what `uart.on("data")` is to see.
DataHandler = Callable[[bytes], None]


class Console(Protocol):
    """Where lines go."""

    @property
    def prompt(self) -> bytes:
        """What an empty line is answered with."""

    def put_line(self, line: bytes) -> None:
        """A line with its LF (`lua_input_string`)."""

    def crash(self) -> None:
        """The chip calls through a null pointer; does not return."""


class LineInput:
    """State of input.c.

    Args:
        uart: the ring and the way out.
        console: where lines go.
        echo: whether characters are echoed at first.
    """

    def __init__(self, uart: Uart, console: Console, *, echo: bool = True) -> None:
        self._uart = uart
        self._console = console
        self.echo = echo
        self._line = bytearray()
        self._last = 0
        self._handler: DataHandler | None = None
        self._length = 0
        self._end = 0
        self._run_input = True

    @property
    def run_input(self) -> bool:
        """True in line mode."""
        return self._run_input

    def set_receiver(self, handler: DataHandler | None, length: int, end: int, run_input: bool) -> None:
        """`input_setup_receive`.

        Args:
            handler: called with data, or None.
            length: bytes per call in raw mode; 0 byte by byte, -1 up to `end`.
            end: the byte that ends a block when `length` is negative.
            run_input: True for line mode, which also runs the lines.
        """
        self._handler = handler
        self._length, self._end, self._run_input = length, end, run_input

    def drain(self) -> Generator[None, None, None]:
        """`input_handler`: take everything out of the ring. Yields when time must pass before the next byte."""
        while True:
            if self._run_input:
                more = yield from self._lines()
            else:
                more = yield from self._raw()
            if not more:
                return

    def _lines(self) -> Generator[None, None, bool]:
        put = self._uart.put
        while (byte := (yield from self._uart.next())) is not None:
            if (byte, self._last) in ((_CR, _LF), (_LF, _CR)):
                self._last = 0
                continue
            if byte in (_DEL, _BS):
                if self._line:
                    if self.echo:
                        put(b"\b \b")
                    self._line.pop()
                self._last = 0
                continue
            self._last = byte
            if byte in (_CR, _LF):
                if self.echo:
                    put(b"\n")
                if self._handler is not None:
                    self._handler(bytes(self._line))
                    yield from self._uart.catch_up()
                if not self._line:
                    put(self._console.prompt)
                    continue
                line, self._line = bytes(self._line), bytearray()
                self._console.put_line(line + b"\n")
                return True
            if self.echo:
                put(bytes([byte]))
            if len(self._line) + 1 >= LINE_SIZE:
                self._line.clear()
            self._line.append(byte)
        return False

    def _raw(self) -> Generator[None, None, bool]:
        # The branch is chosen once; a callback that changes the mode is noticed when the ring is empty.
        if self._handler is None:
            while (yield from self._uart.next()) is not None:
                pass
        elif self._length == 0:
            while (byte := (yield from self._uart.next())) is not None:
                yield from self._deliver(bytes([byte]))
        else:
            while (byte := (yield from self._uart.next())) is not None:
                self._line.append(byte)
                full = len(self._line) >= LINE_SIZE or 0 <= self._length <= len(self._line)
                if full or (self._length < 0 and byte == self._end):
                    yield from self._deliver(bytes(self._line))
                    self._line.clear()
        return False

    def _deliver(self, data: bytes) -> Generator[None, None, None]:
        if self._handler is None:
            self._console.crash()
        else:
            self._handler(data)
            yield from self._uart.catch_up()
