from __future__ import annotations

import errno
import ssl

import pytest

from bridge.errors import (
    BoardOutOfMemory,
    BoardReset,
    BridgeError,
    ConnectionAborted,
    ConnectionLost,
    ConnectionReset,
    ConnectRefused,
    LinkTimeout,
    LuaError,
    NetTimeout,
    PortLost,
)
from bridge.streams.reasons import standard, told


@pytest.mark.parametrize(
    ("reason", "connecting", "kind", "number"),
    [
        (-8, True, NetTimeout, errno.ETIMEDOUT),
        (-8, False, NetTimeout, errno.ETIMEDOUT),
        (-9, True, ConnectRefused, errno.ECONNREFUSED),
        (-9, False, ConnectionReset, errno.ECONNRESET),
        (-1, False, ConnectionAborted, errno.ECONNABORTED),
        (-4, True, ConnectionLost, errno.EIO),
        ("Timeout", True, NetTimeout, errno.ETIMEDOUT),
        ("Connection reset", False, ConnectionReset, errno.ECONNRESET),
        ("Receive overflow", False, ConnectionAborted, errno.ECONNABORTED),
        ("SSL handshake failed", True, ssl.SSLError, None),
        (None, True, ssl.SSLError, None),
    ],
)
def test_what_the_board_says(reason: int | str | None, connecting: bool, kind: type, number: int | None) -> None:
    error = told(reason, "host:80", connecting=connecting, port="COM5")
    assert type(error) is kind and isinstance(error, OSError)
    assert "host:80" in str(error)
    if number is not None:
        assert error.errno == number


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (BoardReset(port="COM5"), ConnectionResetError),
        (LuaError("boom"), ConnectionResetError),
        (BoardOutOfMemory("no room"), ConnectionAbortedError),
        (LinkTimeout("late"), TimeoutError),
        (PortLost("gone"), ConnectionError),
    ],
)
def test_what_calls_raise(error: BridgeError, kind: type) -> None:
    made = standard(error, "host:80")
    assert isinstance(made, kind) and isinstance(made, OSError)
    assert made is error or made.__cause__ is error
