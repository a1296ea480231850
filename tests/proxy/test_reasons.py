"""Errors as clients of a proxy hear them."""

from __future__ import annotations

import pytest

from bridge.errors import (
    BoardReset,
    ConnectionLost,
    ConnectionReset,
    ConnectRefused,
    DNSFailed,
    LinkTimeout,
    NetTimeout,
    UsageError,
)
from bridge.proxy.reasons import is_ipv6, reply_for, sentence, status_for


@pytest.mark.parametrize(
    ("error", "reply", "status"),
    [
        (ConnectRefused("x", code=-9), 5, 502),
        (DNSFailed("x"), 4, 502),
        (NetTimeout("x", code=-8), 4, 504),
        (NetTimeout("x"), 6, 504),
        (LinkTimeout("x"), 6, 504),
        (ConnectionReset("x"), 1, 502),
        (ConnectionLost("x", code=-4), 1, 502),
        (BoardReset(), 1, 502),
        (UsageError("x"), 1, 502),
        (OSError(), 1, 502),
    ],
)
def test_each_error_has_its_reply_and_its_status(error: Exception, reply: int, status: int) -> None:
    assert (reply_for(error), status_for(error)) == (reply, status)


def test_a_client_is_not_told_of_the_boards_port() -> None:
    assert sentence(ConnectRefused("a:1 refuses the connection", port="/dev/ttyUSB0")) == "a:1 refuses the connection"
    assert sentence(OSError("secret")) == "the board made no connection"


def test_addresses_of_ipv6_are_known() -> None:
    assert is_ipv6("::1") and not is_ipv6("127.0.0.1") and not is_ipv6("example.com")
