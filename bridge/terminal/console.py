"""Keys to a port and bytes from it, as they are: for boards on which the agent cannot run, or is not wanted.

Three things are kept back: Ctrl-] leaves; a line that begins with % is for this terminal; and Ctrl-C at Lua's prompt,
which has no such key, wipes what was typed and leaves an unfinished chunk.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Iterator

from bridge.errors import BridgeError, PortError
from bridge.ports.base import Port
from bridge.repl import BREAK, WIPE
from bridge.terminal.commands import Tools, run_command
from bridge.terminal.editor import Leave

#: Ctrl-] and Ctrl-C.
_LEAVE, _BREAK = 0x1D, 0x03
_RUB_OUT = (0x08, 0x7F)
_ENTER = b"\r\n"


async def pass_through(port: Port, tools: Tools) -> None:
    """Connect this process's terminal with a port until Ctrl-] is pressed.

    Args:
        port: open.
        tools: what lines that begin with % work with.

    Raises:
        PortLost: the port went away.
    """
    console = _Console(port)
    console.show(b"Ctrl-] leaves, %help says more.\r\n")
    with _raw(console.keyboard):
        while (line := await console.line()) is not None:
            try:
                said = await run_command(tools, line)
            except Leave:
                break
            except PortError:
                raise
            except BridgeError as error:
                said = f"{error}\n"
            console.show(said.replace("\n", "\r\n").encode())
            # An empty line has the board say its prompt again.
            port.write(b"\r")
    console.show(b"\r\n")


class _Console:
    """The terminal of this process on a port."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._screen = sys.stdout.fileno()
        self.keyboard = sys.stdin.fileno()
        self._board_line = b""
        self._own: bytearray | None = None
        self._begins = True
        self._keys = b""

    async def line(self) -> str | None:
        """Pass everything through until a line for this terminal has been typed; None at the end.

        Raises:
            PortLost: the port went away.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[str | PortError | None] = loop.create_future()

        def end(result: str | PortError | None) -> None:
            if not done.done():
                done.set_result(result)

        def typed() -> None:
            data = os.read(self.keyboard, 1024)
            self._keys += data
            try:
                while self._keys and not done.done():
                    key, self._keys = self._keys[0], self._keys[1:]
                    if key == _LEAVE:
                        end(None)
                    elif (line := self._key(key)) is not None:
                        end(line)
            except PortError as error:
                end(error)
            if not data:
                end(None)

        loop.add_reader(self.keyboard, typed)
        self._port.set_receiver(self._came, end)
        try:
            found = await done
        finally:
            loop.remove_reader(self.keyboard)
            self._port.set_receiver(None)
        if isinstance(found, PortError):
            raise found
        return found

    def show(self, data: bytes) -> None:
        """Write to the screen."""
        while data:
            data = data[os.write(self._screen, data) :]

    def _came(self, data: bytes) -> None:
        self._board_line = (self._board_line + data).rpartition(b"\n")[2][-300:]
        self.show(data)

    def _key(self, key: int) -> str | None:
        """Take a key; returns a line for this terminal when it ends one."""
        if self._own is None and self._begins and key == ord("%"):
            self._own = bytearray()
        if self._own is not None:
            return self._own_key(key)
        if key == _BREAK and self._board_line.startswith((b"> ", b">> ")):
            unfinished = self._board_line.startswith(b">> ")
            self._port.write(WIPE + (b"\r" + BREAK + b"\r" if unfinished else b"\r"))
            self._begins = True
        else:
            self._port.write(bytes([key]))
            self._begins = key in _ENTER
        return None

    def _own_key(self, key: int) -> str | None:
        assert self._own is not None
        if key in _ENTER:
            line, self._own = self._own.decode(errors="replace"), None
            self.show(b"\r\n")
            return line
        if key in _RUB_OUT or key == _BREAK:
            gone = len(self._own) if key == _BREAK else 1
            del self._own[-gone:]
            self.show(b"\b \b" * gone)
            if not self._own:
                self._own = None
        elif key >= 32 or key == 9:
            self._own.append(key)
            self.show(bytes([key]))
        return None


@contextlib.contextmanager
def _raw(descriptor: int) -> Iterator[None]:
    """A terminal that hands each key on as it is, and shows none."""
    before = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor, termios.TCSADRAIN)  # what was typed already is kept
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
