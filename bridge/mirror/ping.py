"""Arguments of `net.ping`, of which Lua lets the middle one be left out (app/modules/net_ping.c, release 3.0.0)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.errors import UsageError
from bridge.mirror.arguments import as_integer, as_name, as_text
from bridge.wire.values import Value

#: (bytes, ip, number, milliseconds) of one answer.
PingReceived = Callable[[int, str | None, int | None, int | None], Any]
#: (ip, asked, unanswered, bytes, milliseconds) of all.
PingSent = Callable[[str, int, int, int, int], Any]


def ping_arguments(host: Value, count: Value, received: Value, sent: Value) -> tuple[Value, ...]:
    """The arguments as the board takes them, with functions that get text where Lua gives bytes.

    Raises:
        UsageError: there is no function for the answers, or another argument is wrong.
    """
    if callable(count):
        if sent is not None:
            raise UsageError("There are too many functions", remedy="Write ping(host, count, received, sent).")
        count, received, sent = None, count, received
    if not callable(received):
        raise UsageError("no received callback specified", remedy="Write ping(host, function).")
    if sent is not None and not callable(sent):
        raise UsageError("invalid sent callback, function expected", remedy="Pass a function or None.")
    times = as_integer(count, "count", 0)

    def answered(size: Value = 0, ip: Value = None, number: Value = None, milliseconds: Value = None) -> Any:
        return received(size, as_text(ip), number, milliseconds)

    def ended(ip: Value, *rest: Value) -> Any:
        assert callable(sent)
        return sent(as_text(ip), *rest)

    functions = (answered,) if sent is None else (answered, ended)
    return (as_name(host), 0 if times is None else times, *functions)
