"""A port as a pseudo-terminal: `python -m bridge.comparison.portpty URL` resets its board and prints `PTY <path>`.

A second argument is how long RTS holds the chip in reset, in milliseconds, or `none` where no lines are wired.

Scenarios speak to a pseudo-terminal of a freshly booted board; this puts the board at any port URL behind one. What the
board printed while it booted waits in the terminal for whoever opens it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import sys
import tty
from collections.abc import Callable

from bridge.comparison.console import Console
from bridge.comparison.restart import HOLD_S, restart
from bridge.errors import BridgeError
from bridge.ports.open import open_port

#: How often to look whether somebody has opened the terminal, in seconds: the system does not tell.
LOOK_S = 0.02
#: How long whoever opens a terminal takes to set it up, in seconds; what arrives meanwhile may be discarded.
SETTLE_S = 0.2


async def serve(url: str, hold_s: float | None = HOLD_S) -> None:
    """Reset the board at a port, print `PTY <path>`, and carry bytes both ways until the process is told to end.

    Args:
        url: the port.
        hold_s: as for `bridge.comparison.restart.restart`.

    Raises:
        BridgeError: the port cannot be opened, or no prompt answers on it after a reset.
    """
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    port = await open_port(url)
    try:
        boot = await restart(Console(port), hold_s)
        terminal = _Terminal(port.write)
        port.set_receiver(terminal.put, lambda _: ended.set())
        terminal.put(boot)
        print(f"PTY {terminal.path}", flush=True)  # noqa: T201  the protocol of BOARD_CMD
        serving = loop.create_task(terminal.serve())
        await ended.wait()
        serving.cancel()
        await asyncio.wait([serving])
        port.set_receiver(None)
        terminal.close()
    finally:
        await port.close()


class _Terminal:
    """Our end of a pseudo-terminal: tells whether somebody has the other end open, and loses nothing before that."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        """Make one.

        Args:
            take: called with what is written at the other end.
        """
        self._master, slave = os.openpty()
        self.path = os.ttyname(slave)
        # Raw from the start: a terminal that echoes would type the boot text back at the board.
        tty.setraw(slave)
        os.close(slave)
        os.set_blocking(self._master, False)
        self._poll = select.poll()
        self._poll.register(self._master, select.POLLIN)
        self._take = take
        self._outgoing = bytearray()
        self._listening = False

    def put(self, data: bytes) -> None:
        """Show something at the other end, or keep it until somebody listens there."""
        self._outgoing += data
        self._flush()

    async def serve(self) -> None:
        """Carry bytes for ever, as long as somebody has the other end open and again when somebody opens it."""
        loop = asyncio.get_running_loop()
        while True:
            await self._until_open(True)
            await asyncio.sleep(SETTLE_S)
            loop.add_reader(self._master, self._read)
            self._listening = True
            self._flush()
            await self._until_open(False)
            self._listening = False
            loop.remove_reader(self._master)

    def close(self) -> None:
        """Give the terminal back."""
        asyncio.get_running_loop().remove_reader(self._master)
        asyncio.get_running_loop().remove_writer(self._master)
        os.close(self._master)

    async def _until_open(self, wanted: bool) -> None:
        while self._is_open() is not wanted:  # noqa: ASYNC110  nothing tells it
            await asyncio.sleep(LOOK_S)

    def _is_open(self) -> bool:
        return not any(event & select.POLLHUP for _, event in self._poll.poll(0))

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            self._take(os.read(self._master, 65536))

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._listening and self._outgoing:
            try:
                del self._outgoing[: os.write(self._master, self._outgoing[:4096])]
            except BlockingIOError:
                loop.add_writer(self._master, self._flush)
                return
        loop.remove_writer(self._master)


def main() -> int:
    """Run it; 0 when told to end, 1 if the board could not be had, 2 for wrong use."""
    url, hold_ms, *rest = (*sys.argv[1:], "", "")
    if not url or any(rest):
        print("usage: python -m bridge.comparison.portpty URL [MILLISECONDS|none]", file=sys.stderr)  # noqa: T201
        return 2
    try:
        hold_s = None if hold_ms == "none" else float(hold_ms or HOLD_S * 1000) / 1000
        asyncio.run(serve(url, hold_s))
    except BridgeError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    except ValueError:
        print(f"{hold_ms} is not a number of milliseconds", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
