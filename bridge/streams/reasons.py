"""Why a connection failed or ended, as the errors that programs for sockets catch."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from bridge.errors import (
    BoardOutOfMemory,
    BridgeError,
    ConnectionAborted,
    ConnectionLost,
    ConnectionReset,
    ConnectRefused,
    NetTimeout,
)

_SILENT, _RESET, _GIVEN_UP = -8, -9, -1
#: Reasons of the module `tls` (app/modules/tls.c) that are those of `net` in words.
_WORDS = {
    "Timeout": _SILENT,
    "Connection aborted": _SILENT,
    "Connection reset": _RESET,
    "Connection closed": _RESET,
    "Out of memory": _GIVEN_UP,
    "Receive overflow": _GIVEN_UP,
}


def told(reason: int | str | None, where: str, *, connecting: bool, port: str) -> OSError:
    """The error for what "reconnection" says.

    Args:
        reason: the code of `net`, or the reason of `tls`.
        where: the peer, for the message.
        connecting: the connection does not stand yet.
        port: the board's port.
    """
    code = _WORDS.get(reason or "") if not isinstance(reason, int) else reason
    if not isinstance(reason, int) and code is None:
        why = "the board refused the certificate, or the handshake broke off" if reason is None else reason
        return ssl.SSLError(f"TLS of the board with {where} failed: {why}")
    if code == _SILENT:
        what = f"{where} does not answer" if connecting else f"{where} has fallen silent"
        return NetTimeout(what, code=code, port=port)
    if code == _RESET:
        if connecting:
            return ConnectRefused(f"{where} refuses the connection", code=code, port=port)
        return ConnectionReset(f"{where} reset the connection", code=code, port=port)
    if code == _GIVEN_UP:
        what = f"The board gave up the connection with {where}: more came than its heap holds"
        return ConnectionAborted(what, code=code, port=port)
    return ConnectionLost(f"The connection with {where} failed: lwIP's error {reason}", code=code, port=port)


def standard(error: BridgeError, where: str, *, make: Callable[..., ConnectionLost] = ConnectionReset) -> OSError:
    """The error for a call of the board that failed: itself if it is one of Python's for sockets, else one that is.

    Args:
        error: what the call raised.
        where: the peer, for the message.
        make: the kind it becomes.
    """
    if isinstance(error, OSError):
        return error
    if isinstance(error, BoardOutOfMemory):
        make = ConnectionAborted
    made = make(f"The connection with {where} is gone: {error.message}", port=error.port, remedy=error.remedy)
    made.__cause__ = error
    return made
