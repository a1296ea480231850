"""Makes connections of the board: resolves the name, waits for a slot, connects, within a time."""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections.abc import AsyncIterator
from typing import Any

from bridge.errors import (
    AgentError,
    BridgeError,
    ConnectionAborted,
    ConnectionReset,
    ConnectRefused,
    NetTimeout,
    UsageError,
)
from bridge.mirror.net import Net
from bridge.mirror.tcp import Connection
from bridge.mirror.tls import TLS
from bridge.streams.reasons import standard, told
from bridge.streams.resolving import port_number, resolve
from bridge.streams.slots import Slot, Slots
from bridge.streams.transport import CLOSE_TIMEOUT, BoardTransport

#: Seconds for name and connection: two DNS servers that do not know take 15.6 s, a silent address 7.6 s.
CONNECT_TIMEOUT = 30.0
#: Seconds to wait while all connections of the stack are in use.
SLOT_TIMEOUT = 60.0


class Connector:
    """Makes connections of one board.

    Args:
        net, tls: of the board.
        slots: of the board.
        port: of the board, for messages.
    """

    def __init__(self, net: Net, tls: TLS, slots: Slots, port: str) -> None:
        self._net, self._tls, self._slots, self._port = net, tls, slots, port

    async def connect(
        self,
        host: str,
        tcp_port: int | str,
        *,
        over_tls: bool = False,
        timeout: float | None = CONNECT_TIMEOUT,
        slot_timeout: float | None = SLOT_TIMEOUT,
        close_timeout: float = CLOSE_TIMEOUT,
    ) -> BoardTransport:
        """A connection that stands, its transport not begun.

        Args:
            host: name or IPv4 address; the board resolves the name.
            tcp_port: 1 to 65535, or the name of a service.
            over_tls: by the board's module `tls`.
            timeout: seconds for name and connection; None is without end.
            slot_timeout: seconds to wait for a slot.
            close_timeout: see `BoardTransport`.

        Raises:
            DNSFailed, ConnectRefused, NetTimeout, ConnectionLost: it did not come about.
            ssl.SSLError: the board's TLS failed.
            ArgumentRefused: the port or the name is none.
            AgentError: the firmware has no module `tls`.
        """
        tcp_port = port_number(tcp_port, "tcp")
        where = f"{host}:{tcp_port}"
        if tcp_port == 0:
            raise ConnectRefused("Nobody listens on port 0", port=self._port)
        slot = await self._slots.acquire(slot_timeout, self._port)
        try:
            async with asyncio.timeout(timeout):
                address = await resolve(self._net, host, self._port)
                return await self._connect(address, tcp_port, where, slot, over_tls, close_timeout)
        except BaseException as error:
            slot.release()
            if isinstance(error, TimeoutError) and not isinstance(error, BridgeError):
                raise NetTimeout(f"No connection with {where} within {timeout:g} s", port=self._port) from error
            if isinstance(error, OSError | UsageError) or type(error) is AgentError:  # the latter: no such module
                raise
            if isinstance(error, BridgeError):
                make = ConnectionAborted if isinstance(error, AgentError) else ConnectionReset
                raise standard(error, where, make=make) from error
            raise

    async def _connect(
        self, address: str, tcp_port: int, where: str, slot: Slot, over_tls: bool, close_timeout: float
    ) -> BoardTransport:
        standing: asyncio.Future[BoardTransport] = asyncio.get_running_loop().create_future()
        standing.add_done_callback(lambda done: done.cancelled() or done.exception())  # if nobody waits any more
        extra: dict[str, Any] = {"peername": (address, tcp_port)}

        def connected(socket: Connection) -> None:
            # In the event itself: what comes after it, and be it the end, is the transport's.
            if not standing.done():
                standing.set_result(
                    BoardTransport(
                        socket,
                        where,
                        extra,
                        crowd=self._slots.crowd,
                        close_timeout=close_timeout,
                        ended=slot.release,
                        closing=self._slots.closing,
                    )
                )

        def failed(socket: Connection, reason: int | str | None = None) -> None:
            if not standing.done():
                standing.set_exception(told(reason, where, connecting=True, port=self._port))

        def gone(reason: BridgeError | None) -> None:
            if reason is not None and not standing.done():
                standing.set_exception(standard(copy.copy(reason), where))

        async with _released_on_failure(await self._make(over_tls)) as socket:
            socket.on("connection", connected)
            socket.on("disconnection", failed)
            socket.on("reconnection", failed)
            socket.when_gone(gone)
            async with self._slots.dialling:
                await socket.connect(tcp_port, address)
            transport = await standing
            if not over_tls:
                with contextlib.suppress(BridgeError):  # it may be over already, which the transport tells
                    port, ip = await socket.getaddr()
                    extra["sockname"] = (ip, port)
        return transport

    async def _make(self, over_tls: bool) -> Any:
        return await (self._tls.createConnection() if over_tls else self._net.createConnection())


@contextlib.asynccontextmanager
async def _released_on_failure(socket: Any) -> AsyncIterator[Any]:
    try:
        yield socket
    except BaseException:
        await socket.release()
        raise
