"""Keys to a port and bytes from it, as they are: for boards on which the agent cannot run, or is not wanted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Iterator

from bridge.errors import PortError
from bridge.ports.base import Port

#: Ctrl-].
_LEAVE = 0x1D


async def pass_through(port: Port) -> None:
    """Connect this process's terminal with a port until Ctrl-] is pressed.

    Raises:
        PortLost: the port went away.
    """
    loop = asyncio.get_running_loop()
    left: asyncio.Future[PortError | None] = loop.create_future()
    keyboard, screen = sys.stdin.fileno(), sys.stdout.fileno()

    def end(error: PortError | None) -> None:
        if not left.done():
            left.set_result(error)

    def typed() -> None:
        data = os.read(keyboard, 1024)
        before, leave, _ = data.partition(bytes([_LEAVE]))
        try:
            if before:
                port.write(before)
        except PortError as error:
            end(error)
        if leave or not data:
            end(None)

    def write(data: bytes) -> None:
        while data:
            data = data[os.write(screen, data) :]

    write(b"Ctrl-] leaves.\r\n")
    with _raw(keyboard):
        loop.add_reader(keyboard, typed)
        port.set_receiver(write, end)
        try:
            if (error := await left) is not None:
                raise error
        finally:
            loop.remove_reader(keyboard)
            port.set_receiver(None)
            write(b"\r\n")


@contextlib.contextmanager
def _raw(descriptor: int) -> Iterator[None]:
    """A terminal that hands each key on as it is, and shows none."""
    before = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
