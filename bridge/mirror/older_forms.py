"""The older forms of `net` that its document still shows, and what they ask for.

`createConnection(type, secure)` and `createServer(type, timeout)` were taken at their word by firmware 2.x (net.c of
release 2.2.1). Firmware 3.x ignores the first, and takes the second's first argument as the timeout, so that
`createServer(net.TCP, 30)` gives a server that drops dead clients after a second. Here they mean what the document says
on either.

Pure: arguments in, a decision out. Each older form gives one DeprecationWarning, at the line of the caller.
"""

from __future__ import annotations

import warnings
from enum import Enum
from typing import Final

from bridge.errors import UsageError

#: `net.TCP` and `net.UDP` (net.c: TYPE_TCP_CLIENT and TYPE_UDP_SOCKET).
TCP: Final = 1
UDP: Final = 2
#: Seconds of silence after which a server asks a client whether it is there, as the stock module has it.
DEFAULT_TIMEOUT = 30
#: What the document allows.
MAX_TIMEOUT = 28_800


class Kind(Enum):
    """What a call asks for."""

    TCP = "TCP socket"
    UDP = "UDP socket"
    TLS = "TLS socket"
    SERVER = "TCP server"


def connection_kind(type: object, secure: object, *, stacklevel: int = 2) -> Kind:
    """What `createConnection(type, secure)` asks for.

    Args:
        type: TCP or UDP.
        secure: 0 or 1.
        stacklevel: of the warning, as `warnings.warn` has it: 2 is who called this.

    Raises:
        UsageError: other values, or UDP that is to be encrypted.
    """
    if _whole(type) not in (TCP, UDP):
        raise UsageError("invalid type", remedy="Use net.TCP or net.UDP.")
    if secure not in (0, 1):
        raise UsageError("secure is neither 0 nor 1", remedy="Use 1 for an encrypted connection.")
    if type == UDP:
        if secure:
            raise UsageError(
                "There is no encrypted UDP, and nothing is sent in the clear that was meant to be encrypted",
                remedy="Use net.TCP for an encrypted connection.",
            )
        _warn("net.createConnection(net.UDP)", "net.createUDPSocket()", stacklevel)
        return Kind.UDP
    if secure:
        _warn("net.createConnection(net.TCP, 1)", "tls.createConnection()", stacklevel)
        return Kind.TLS
    return Kind.TCP


def server_kind(type: object, timeout: object, *, stacklevel: int = 2) -> tuple[Kind, int]:
    """What `createServer(type, timeout)` asks for, and its timeout in seconds, or what stands for it and is no number.

    Args:
        type: TCP, UDP, or the timeout of a TCP server (as firmware 3.x has it); None is a TCP server.
        timeout: in seconds; None is 30.
        stacklevel: as in `connection_kind`.

    Raises:
        UsageError: other values, or a timeout that is not from 1 to 28 800.
    """
    if type is None:
        return Kind.SERVER, _seconds(DEFAULT_TIMEOUT if timeout is None else timeout)
    if _whole(type) not in (TCP, UDP):
        if timeout is None and not isinstance(type, int | float) and not (isinstance(type, str) and type.isdigit()):
            return Kind.SERVER, type  # type: ignore[return-value]  # what is no number at all the board refuses
        if timeout is not None:
            raise UsageError("invalid type", remedy="Write createServer(timeout), or createServer(net.TCP, timeout).")
        return Kind.SERVER, _seconds(type)
    seconds = _seconds(DEFAULT_TIMEOUT if timeout is None else timeout)
    if type == UDP:
        _warn("net.createServer(net.UDP)", "net.createUDPSocket()", stacklevel)
        return Kind.UDP, seconds
    _warn("net.createServer(net.TCP, timeout)", "net.createServer(timeout)", stacklevel)
    return Kind.SERVER, seconds


def warn_of_cert(*, stacklevel: int = 2) -> None:
    """Say that `net.cert` is `tls.cert` now."""
    _warn("net.cert", "tls.cert", stacklevel)


def _seconds(timeout: object) -> int:
    seconds = _whole(timeout)
    if seconds is None or not 1 <= seconds <= MAX_TIMEOUT:
        raise UsageError(
            f"{timeout!r} is no timeout of a server", remedy=f"Use a whole number of seconds from 1 to {MAX_TIMEOUT}."
        )
    return seconds


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _warn(old: str, new: str, stacklevel: int) -> None:
    warnings.warn(f"{old} is an older form; write {new}", DeprecationWarning, stacklevel=stacklevel + 1)
