"""A virtual board for other programs: on a pseudo-terminal, an RFC 2217 server, or both at once."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.pty import Pty
from bridge.virtual.signal_thread import SignalThread

#: How long an unplugged board stays out before it is plugged in again, in seconds.
REPLUG_S = 1.0


@dataclass(frozen=True)
class Doors:
    """Where a board is to be reached.

    Args:
        pty: True for a pseudo-terminal.
        pty_link: path of a symbolic link to it, or None for its own name alone.
        rfc2217: host and TCP port of an RFC 2217 server (port 0 takes a free one), or None.
    """

    pty: bool = True
    pty_link: Path | None = None
    rfc2217: tuple[str, int] | None = None


async def serve(
    options: VirtualOptions,
    doors: Doors,
    announce: Callable[[str], None],
    make_board: Callable[[VirtualOptions], VirtualBoard] = VirtualBoard,
) -> None:
    """Run a board until SIGINT, SIGTERM or SIGHUP. SIGUSR1 resets it, SIGUSR2 unplugs it and plugs it in again.

    A Lua task that goes on for ever does not stand in the way of a signal. What cannot be interrupted (a string pattern
    that goes on for ever) ends at the second SIGINT, SIGTERM or SIGHUP, with the process.

    Args:
        options: of the board.
        doors: where it is to be reached.
        announce: gets `PTY <path>` and `RFC2217 <url>` when the board answers, and a new `PTY` line after a replug.
        make_board: makes the board, not started yet.

    Raises:
        UsageError: no such board or no such door can be.
        PortBusy: another program has the TCP port.
        Exception: the virtual board itself failed; a board that is half dead would only mislead.
    """
    if options.boot_text == "auto" and doors.rfc2217 is None:
        options = dataclasses.replace(options, boot_text="clear")
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    failures: list[BaseException] = []

    def failed(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "handle" in context and "exception" in context:  # in a callback of the board, where nobody catches it
            failures.append(context["exception"])
            stop.set()
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(failed)
    board = make_board(options)
    buttons = {signal.SIGUSR1: board.reset, signal.SIGUSR2: board.unplug}
    with SignalThread(loop, stop.set, buttons):
        await _run(board, doors, announce, stop)
    if failures:
        raise failures[0]


async def _run(board: VirtualBoard, doors: Doors, announce: Callable[[str], None], stop: asyncio.Event) -> None:
    unplugged = asyncio.Event()
    await board.start()
    server = None
    pty: Pty | None = None
    try:
        if doors.pty:
            pty = Pty(board, doors.pty_link)
        if doors.rfc2217 is not None:
            from bridge.virtual.rfc2217 import serve_rfc2217

            server = await serve_rfc2217(board, *doors.rfc2217)
        board.on_unplug.append(unplugged.set)
        await _first(stop, board.answered())
        if not stop.is_set():
            if pty is not None:
                announce(f"PTY {pty.path}")
            if server is not None:
                announce(f"RFC2217 {server.url}")
        while not stop.is_set():
            await _first(stop, unplugged.wait())
            if stop.is_set():
                break
            unplugged.clear()
            await _first(stop, asyncio.sleep(REPLUG_S))
            board.plug()
            if pty is not None and not stop.is_set():
                # As with a real adapter, the port comes back under another name; the link leads to it.
                pty, gone = Pty(board, doors.pty_link), pty
                gone.close()
                await _first(stop, board.answered())
                announce(f"PTY {pty.path}")
    finally:
        if pty is not None:
            pty.close()
        if server is not None:
            await server.close()
        await board.close()


async def _first(stop: asyncio.Event, wanted: object) -> None:
    """Wait for something, or for the stop if that comes first."""
    tasks = {asyncio.ensure_future(wanted), asyncio.ensure_future(stop.wait())}  # type: ignore[call-overload]
    _, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
