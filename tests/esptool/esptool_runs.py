"""Runs the real esptool on a virtual board's RFC 2217 server, and looks at how the board boots afterwards."""

from __future__ import annotations

import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import serial

from tests.board_process import announced, board_process

#: esptool as anybody runs it: pyserial's client waits 50 ms for each setting, so that a command takes 20 s.
PLAIN = [sys.executable, "-m", "esptool"]
#: esptool with our own RFC 2217 client under it.
QUICK = [sys.executable, "-m", "bridge.ports.esptool_handler"]
MB = 1 << 20


class Board:
    """A virtual board in its own process, reached by RFC 2217."""

    def __init__(self, url: str) -> None:
        self.url = url

    def esptool(self, *arguments: str, how: list[str] = QUICK, baud: int = 460_800) -> str:
        """Run esptool; its output. Fails the test if esptool fails."""
        code, output = self.try_esptool(*arguments, how=how, baud=baud)
        assert code == 0, output
        return output

    def try_esptool(self, *arguments: str, how: list[str] = QUICK, baud: int = 460_800) -> tuple[int, str]:
        """Run esptool; exit code and output."""
        command = [*how, "--port", self.url, "--baud", str(baud), *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=110)
        return done.returncode, done.stdout

    @contextmanager
    def port(self, baud: int) -> Iterator[serial.SerialBase]:
        """The port, opened by pyserial as any terminal program does."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            port = serial.serial_for_url(self.url, baudrate=baud, timeout=0.2)
        try:
            yield port
        finally:
            port.close()

    def boot_text(self, until: bytes) -> str:
        """Reset the board and listen at the boot ROM's speed until a line with `until` has come."""
        with self.port(74_880) as port:
            port.dtr = False
            port.rts = True
            port.reset_input_buffer()
            port.rts = False
            text = b""
            deadline = time.monotonic() + 15
            while until not in text or not text.endswith(b"\n"):
                assert time.monotonic() < deadline, text
                text += port.read(max(1, port.in_waiting))
            return text.decode("latin-1").replace("\r\n", "\n")

    def banner(self) -> str:
        """Reset the board and listen at the console's speed until its prompt."""
        with self.port(115_200) as port:
            port.dtr = False
            port.rts = True
            port.reset_input_buffer()
            port.rts = False
            return self._until_prompt(port)

    def ask(self, line: str) -> str:
        """Type a line at the prompt; what it printed."""
        with self.port(115_200) as port:
            port.write(line.encode() + b"\n")
            return self._until_prompt(port).split("\n", 1)[1].removesuffix("\n> ")

    def _until_prompt(self, port: serial.SerialBase) -> str:
        text = b""
        deadline = time.monotonic() + 15
        while not text.endswith(b"\n> "):
            assert time.monotonic() < deadline, text
            text += port.read(max(1, port.in_waiting))
        return text.decode("latin-1").replace("\r\n", "\n")


@contextmanager
def board(*options: str) -> Iterator[Board]:
    """A 1 MB board as a process of its own."""
    with board_process("--rfc2217", "127.0.0.1:0", "--flash-size", str(MB), *options) as process:
        name, url = announced(process)
        assert name == "RFC2217"
        yield Board(url)
