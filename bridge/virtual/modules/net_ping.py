"""`net.ping` (app/modules/net_ping.c, app/lwip/app/ping.c): ICMP echo, once a second of the stack's time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.virtual.lua.api import Args, ArgumentFault, LuaFault, Value
from bridge.virtual.lwip.address import NONE, dotted
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.timeouts import DNS_TICK
from bridge.virtual.sdk.kernel import Kernel, Timer

_DATA_SIZE = 32
_DEFAULT_COUNT = 4
#: One second of the stack's time; see `timeouts`.
_INTERVAL = DNS_TICK


class _Ping:
    """One run of `net.ping`."""

    def __init__(self, kernel: Kernel, count: int, received: Value, sent: Value, number: Callable[[], int]) -> None:
        self._kernel = kernel
        self._count = self._left = count or _DEFAULT_COUNT
        self._received = received
        self._sent = sent
        self._number = number
        self._timeouts = 0
        self._timeout: Timer | None = None
        self._ip = 0
        self._began = 0.0

    def begin(self, ip: int) -> None:
        """The name is resolved; NONE says that it was not."""
        if ip == NONE:
            self._kernel.lua.protected(self._received, 0, kind="net callback")
            return
        self._ip = ip
        self._began = self._kernel.cpu.now()
        self._send()

    def _send(self) -> None:
        number = self._number()
        self._timeout = self._kernel.after(_INTERVAL, self._timed_out)
        self._kernel.after(_INTERVAL, self._next)
        stack = self._kernel.network
        took = stack.wire.echo_time(self._ip) if stack.route(self._ip) is not None else None
        if took is not None:
            self._kernel.after(took, lambda: self._answered(number, int(took * 1000)))

    def _answered(self, number: int, milliseconds: int) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None
        self._report(_DATA_SIZE, number, milliseconds)

    def _timed_out(self) -> None:
        self._timeout = None
        self._timeouts += 1
        self._report(0, 0, -1)

    def _report(self, size: int, number: int, milliseconds: int) -> None:
        self._kernel.lua.protected(
            self._received, size, dotted(self._ip).encode(), number, milliseconds, kind="net callback"
        )

    def _next(self) -> None:
        self._left -= 1
        if self._left:
            self._send()
        elif self._sent is not None:
            took = int((self._kernel.cpu.now() - self._began) * 1000)
            answered = self._count - self._timeouts
            arguments = (dotted(self._ip).encode(), self._count, self._timeouts, answered * _DATA_SIZE, took)
            self._kernel.lua.protected(self._sent, *arguments, kind="net callback")


def build_ping(kernel: Kernel) -> Callable[[Args], Any]:
    """The function `net.ping(name[, count], received[, sent])` of one boot."""
    sequence = 0

    def number() -> int:
        nonlocal sequence
        sequence = (sequence + 1) % 0x7FFF
        return sequence

    def ping(arguments: Args) -> Any:
        name = arguments.check_string(1)
        second = arguments.is_function(2)
        count = 0 if second else arguments.opt_integer(2, 0)
        received, sent = (arguments.get(n) for n in ((2, 3) if second else (3, 4)))
        if not arguments.is_function(2 if second else 3):
            raise ArgumentFault(-2, "no received callback specified")
        if sent is not None and not arguments.is_function(3 if second else 4):
            raise ArgumentFault(-1, "invalid sent callback, function expected")
        run = _Ping(kernel, count, received, sent, number)
        result = kernel.network.dns.resolve(name, _found, run)
        if not isinstance(result, Err):
            run.begin(result)
        elif result is not Err.INPROGRESS:
            raise LuaFault(f"lwip error {int(result)}")
        return ()

    return ping


def _found(_name: bytes, ip: int | None, run: _Ping) -> None:
    run.begin(NONE if ip is None else ip)
