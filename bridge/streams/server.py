"""A listener of the board as an `asyncio` server."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import ssl
from collections.abc import Callable
from typing import Any

from bridge.errors import BridgeError
from bridge.mirror.tcp import TCPServer, TCPSocket
from bridge.streams.host_tls import begin_tls
from bridge.streams.reasons import standard
from bridge.streams.slots import Slots
from bridge.streams.transport import CLOSE_TIMEOUT, BoardTransport

ProtocolFactory = Callable[[], asyncio.BaseProtocol]


class BoundAddress:
    """What `BoardServer.sockets` holds: enough to ask where the server listens."""

    def __init__(self, ip: str, tcp_port: int) -> None:
        self._name = (ip, tcp_port)

    def __repr__(self) -> str:
        return f"<listening on {self._name[0]}:{self._name[1]} of the board>"

    def getsockname(self) -> tuple[str, int]:
        """(address, port) on the board."""
        return self._name


class BoardServer(asyncio.AbstractServer):
    """Listens on the board; made by `Streams.create_server` and `start_server`. Use as `async with`, or `close` it.

    When the board restarts, nobody listens any more: `serve_forever` raises, `is_serving` is False.

    Args:
        server: not listening yet.
        factory: makes a protocol for each client.
        slots: of the board.
        tls: encrypts on the host, if given.
        handshake_timeout: seconds for a client's handshake.
        close_timeout: see `BoardTransport`.
    """

    def __init__(
        self,
        server: TCPServer,
        factory: ProtocolFactory,
        slots: Slots,
        *,
        tls: ssl.SSLContext | None = None,
        handshake_timeout: float | None = None,
        close_timeout: float = CLOSE_TIMEOUT,
    ) -> None:
        self._server, self._factory, self._slots = server, factory, slots
        self._tls, self._handshake_timeout, self._close_timeout = tls, handshake_timeout, close_timeout
        self._loop = server.table.loop
        self._address: BoundAddress | None = None
        self._clients: set[BoardTransport] = set()
        self._closing: asyncio.Task[None] | None = None
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._quiet = asyncio.Event()
        self._quiet.set()

    def __repr__(self) -> str:
        return f"<BoardServer {self._address or 'closed'}>"

    @property
    def sockets(self) -> tuple[BoundAddress, ...]:
        """Where it listens; empty when it does not."""
        return () if self._address is None else (self._address,)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def is_serving(self) -> bool:
        return self._address is not None

    async def listen(self, tcp_port: int, ip: str | None) -> None:
        """Begin to listen; `Streams` does this.

        Raises:
            BridgeError: the board does not.
        """
        self._server.when_gone(self._gone)
        await self._server.listen(tcp_port, ip, self._accepted)
        port, address = await self._server.getaddr()
        self._address = BoundAddress(address or "0.0.0.0", port or tcp_port)

    async def start_serving(self) -> None:
        """Does nothing: a listener of the board accepts from the beginning."""

    async def serve_forever(self) -> None:
        """Wait until the server is closed, or this is cancelled, which closes it.

        Raises:
            ConnectionReset: the board restarted, or went away.
        """
        try:
            await asyncio.shield(self._ended)
        finally:
            self.close()
            await self.wait_closed()

    def close(self) -> None:
        """Stop listening. Connections that were accepted go on."""
        if self._closing is None:
            self._address = None
            self._closing = self._loop.create_task(self._stop())

    def close_clients(self) -> None:
        """Close every connection that was accepted."""
        for client in tuple(self._clients):
            client.close()

    def abort_clients(self) -> None:
        """Abort every connection that was accepted."""
        for client in tuple(self._clients):
            client.abort()

    async def wait_closed(self) -> None:
        """Wait until the board listens no more and every accepted connection has ended."""
        await asyncio.shield(self._ended if self._closing is None else self._closing)
        await self._quiet.wait()

    async def _stop(self) -> None:
        with contextlib.suppress(BridgeError):  # the board has gone, or restarted: nobody listens there
            await self._server.close()
        await self._server.release()
        if not self._ended.done():
            self._ended.set_result(None)

    def _gone(self, reason: BridgeError | None) -> None:
        self._address = None
        if reason is not None and not self._ended.done():
            self._ended.set_exception(standard(copy.copy(reason), "clients"))
            self._ended.exception()  # told to whoever asks
            self.close()

    def _accepted(self, socket: TCPSocket) -> None:
        slot = self._slots.take()
        extra: dict[str, Any] = {}

        def ended() -> None:
            slot.release()
            self._clients.discard(transport)
            if not self._clients:
                self._quiet.set()

        transport = BoardTransport(
            socket, "a client", extra, close_timeout=self._close_timeout, ended=ended, may_close=self._slots.may_close
        )
        self._clients.add(transport)
        self._quiet.clear()
        socket.table.spawn(self._greet(socket, transport, extra))

    async def _greet(self, socket: TCPSocket, transport: BoardTransport, extra: dict[str, Any]) -> None:
        with contextlib.suppress(BridgeError):  # it is gone already, which the transport tells
            (port, ip), (own_port, own_ip) = await asyncio.gather(socket.getpeer(), socket.getaddr())
            extra["peername"], extra["sockname"] = (ip, port), (own_ip, own_port)
            transport.rename(f"{ip}:{port}")
        try:
            protocol = self._factory()
            if self._tls is None:
                transport.begin(protocol)
                return
            transport.begin(asyncio.Protocol())
            await begin_tls(transport, protocol, self._tls, server_side=True, handshake_timeout=self._handshake_timeout)
        except (OSError, asyncio.CancelledError):  # no handshake: the client's affair
            transport.abort()
        except Exception as error:
            transport.abort()
            self._loop.call_exception_handler(
                {"message": "A client of the board could not be served", "exception": error, "transport": transport}
            )
