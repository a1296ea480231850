"""Opens a port by its URL; everything above this room takes any port."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from bridge import ending
from bridge.errors import UsageError
from bridge.ports.base import CONSOLE_BAUD, Port
from bridge.ports.lock import take_port

T = TypeVar("T")


async def open_port(url: str, *, baud: int = CONSOLE_BAUD) -> Port:
    """Open a port without resetting the board on it, and lock it for this process (`bridge.ports.lock`).

    Args:
        url: a serial port (`/dev/ttyUSB0`, `COM5`, a pseudo-terminal's path), `rfc2217://host:port`,
            `socket://host:port`, or `virtual:` with options (`virtual:?lua=5.3&cpu=0`).
        baud: speed of the line, in baud.

    Raises:
        PortNotFound: there is no such port, or nobody listens there.
        PortBusy: another program has it.
        PortError: it cannot be opened for another reason.
        UsageError: the URL is none of the forms above.
    """
    scheme, colon, _ = url.partition(":")
    match scheme.lower() if colon else "":
        case "virtual":
            from bridge.virtual.port import open_virtual

            return await open_virtual(url, baud=baud)
        case "rfc2217":
            from bridge.ports.rfc2217 import open_rfc2217

            return await _locked(url, open_rfc2217(url, baud=baud))
        case "socket":
            from bridge.ports.socket import open_socket

            return await _locked(url, open_socket(url, baud=baud))
        case _:
            check_url(url)
            from bridge.ports.serial import open_serial

            return await _locked(url, open_serial(url, baud=baud))


def check_url(url: str) -> None:
    """Make sure, without opening it, that a URL is that of a port.

    Raises:
        UsageError: it is none of the forms that `open_port` knows.
    """
    scheme, colon, _ = url.partition(":")
    if colon and scheme.lower() in ("rfc2217", "socket"):
        from bridge.ports.socket import split_url

        split_url(url)
        return
    if "://" in url:
        raise UsageError(
            f"{url} is not a kind of port this program knows",
            port=url,
            remedy="Use a serial port's name, rfc2217://host:port, socket://host:port or virtual:.",
        )
    if not url.strip() or "\0" in url:
        raise UsageError(f"{url!r} is no name of a port", remedy="Give one, such as /dev/ttyUSB0.")
    if url.lower() == "virtual":
        raise UsageError(f"{url} is no port", port=url, remedy="A virtual board is virtual: with a colon.")


class _Lockable(Port, Protocol):
    def when_gone(self, told: Callable[[], None]) -> None: ...


async def _locked(url: str, opening: Coroutine[Any, Any, _Lockable]) -> Port:
    """Open a port under its lock, which ends when the port is closed or lost."""
    try:
        lock = take_port(url)
    except BaseException:
        opening.close()
        raise
    try:
        port = await opening
    except BaseException:
        lock.release()
        raise
    port.when_gone(lock.release)
    return port


def run_for(url: str, work: Coroutine[Any, Any, T]) -> T:
    """Run a program that uses a port, on the clock that its URL asks for (`virtual:?clock=virtual`).

    It is cancelled, and may clean up, by Ctrl-C and by the signals of `bridge.ending`.

    Args:
        url: the port.
        work: the program's coroutine.
    """
    if url.startswith("virtual:"):
        from bridge.virtual import clock
        from bridge.virtual.options import parse_url

        try:
            wanted = parse_url(url).clock
        except BaseException:
            work.close()
            raise
        if wanted == "virtual":
            return ending.run(work, clock.run)
    return ending.run(work)


def check_options(url: str) -> None:
    """As `check_url`, with the options of a virtual board.

    Raises:
        UsageError: it is none of the forms that `open_port` knows, or an option is wrong.
    """
    if url.lower().startswith("virtual:"):
        from bridge.virtual.options import parse_url

        parse_url(url)
    else:
        check_url(url)


def check_wall_clock(url: str, what: str) -> None:
    """As `check_options`, for a program that other programs use: they live on the clock of the wall.

    Args:
        url: of the port.
        what: the program, for the message, e.g. "A proxy".

    Raises:
        UsageError: the URL asks for the virtual clock, or is none.
    """
    check_options(url)
    if url.lower().startswith("virtual:"):
        from bridge.virtual.options import parse_url

        if parse_url(url).clock == "virtual":
            raise UsageError(f"{what} cannot live on the virtual clock", port=url, remedy="Leave clock=virtual out.")
