"""A port as a pseudo-terminal: `python -m bridge.comparison.portpty URL` resets its board and prints `PTY <path>`.

A second argument is how long RTS holds the chip in reset, in milliseconds, or `none` where no lines are wired.

Scenarios speak to a pseudo-terminal of a freshly booted board; this puts the board at any port URL behind one. What the
board printed while it booted waits in the terminal for whoever opens it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tty

from bridge.comparison.console import Console
from bridge.comparison.restart import HOLD_S, restart
from bridge.errors import BridgeError
from bridge.ports.base import Port
from bridge.ports.open import open_port


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
        await _carry(port, boot, ended)
    finally:
        await port.close()


async def _carry(port: Port, boot: bytes, ended: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    master, slave = os.openpty()
    # Raw before anything is written: a terminal that echoes would type the boot text back at the board.
    tty.setraw(slave)
    os.set_blocking(master, False)
    outgoing = bytearray(boot)

    def to_terminal(data: bytes) -> None:
        outgoing.extend(data)
        flush()

    def flush() -> None:
        while outgoing:
            try:
                del outgoing[: os.write(master, outgoing[:4096])]
            except BlockingIOError:
                loop.add_writer(master, flush)
                return
        loop.remove_writer(master)

    def from_terminal() -> None:
        try:
            port.write(os.read(master, 65536))
        except BlockingIOError:
            return
        except (OSError, BridgeError):
            ended.set()

    try:
        port.set_receiver(to_terminal, lambda _: ended.set())
        loop.add_reader(master, from_terminal)
        flush()
        print(f"PTY {os.ttyname(slave)}", flush=True)  # noqa: T201  the protocol of BOARD_CMD
        await ended.wait()
    finally:
        loop.remove_reader(master)
        loop.remove_writer(master)
        os.close(master)
        os.close(slave)


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
