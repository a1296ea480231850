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
from bridge.streams.binding import not_bound
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
        where: address and port to listen on; None and 0 if the board is to choose.
        tls: encrypts on the host, if given.
        handshake_timeout, shutdown_timeout: seconds for a client's handshake, and for its farewell.
        close_timeout: see `BoardTransport`.
    """

    def __init__(
        self,
        server: TCPServer,
        factory: ProtocolFactory,
        slots: Slots,
        where: tuple[str | None, int],
        *,
        tls: ssl.SSLContext | None = None,
        handshake_timeout: float | None = None,
        shutdown_timeout: float | None = None,
        close_timeout: float = CLOSE_TIMEOUT,
    ) -> None:
        self._server, self._factory, self._slots, self._where = server, factory, slots, where
        self._tls, self._close_timeout = tls, close_timeout
        self._handshake_timeout, self._shutdown_timeout = handshake_timeout, shutdown_timeout
        self._loop = server.table.loop
        self._address: BoundAddress | None = None
        self._clients: set[BoardTransport] = set()
        self._starting = asyncio.Lock()
        self._closing: asyncio.Task[None] | None = None
        self._failure: OSError | None = None
        self._forever: asyncio.Future[None] | None = None
        self._closed, self._quiet = asyncio.Event(), asyncio.Event()
        self._quiet.set()
        server.when_gone(self._gone)

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

    async def start_serving(self) -> None:
        """Begin to listen and to accept, if it does not.

        Raises:
            ListenRefused: the port is taken, or the address is not the board's.
            RuntimeError: it is closed.
        """
        async with self._starting:
            if self._closing is not None:
                raise copy.copy(self._failure) or RuntimeError(f"server {self!r} is closed")
            if self._address is not None:
                return
            ip, tcp_port = self._where
            try:
                await self._server.listen(tcp_port, ip, self._accepted)
                port, address = await self._server.getaddr()
            except BridgeError as error:
                made = not_bound(error, ip, tcp_port, self._server.table.caller.url)
                if made is error:
                    raise
                raise made from error
            if self._closing is None:
                self._address = BoundAddress(address or "0.0.0.0", port or tcp_port)

    async def serve_forever(self) -> None:
        """Begin to listen, if it does not, and wait until this is cancelled, which closes the server.

        Raises:
            asyncio.CancelledError: the server was closed meanwhile.
            RuntimeError: it is closed already, or somebody else waits here.
            ConnectionReset: the board restarted, or went away.
        """
        if self._forever is not None:
            raise RuntimeError(f"server {self!r} is already being awaited on serve_forever()")
        self._forever = self._loop.create_future()
        try:
            await self.start_serving()
            await self._forever
        except asyncio.CancelledError:
            self.close()
            await self.wait_closed()
            raise
        finally:
            self._forever = None

    def close(self) -> None:
        """Stop listening. Connections that were accepted go on."""
        if self._closing is None:
            self._address = None
            self._closing = self._loop.create_task(self._stop())
            if self._forever is not None and not self._forever.done():
                self._forever.cancel()

    def close_clients(self) -> None:
        """Close every connection that was accepted."""
        for client in tuple(self._clients):
            client.close()

    def abort_clients(self) -> None:
        """Abort every connection that was accepted."""
        for client in tuple(self._clients):
            client.abort()

    async def stopped(self) -> None:
        """Wait until the board listens no more."""
        await self._closed.wait()

    async def wait_closed(self) -> None:
        """Wait until the board listens no more and every accepted connection has ended."""
        await self._closed.wait()
        await self._quiet.wait()

    async def _stop(self) -> None:
        try:
            with contextlib.suppress(BridgeError):  # the board has gone, or restarted, or it never listened
                await self._server.close()
            await self._server.release()
        finally:
            self._closed.set()

    def _gone(self, reason: BridgeError | None) -> None:
        if reason is None:
            return
        self._failure = standard(copy.copy(reason), "clients")
        if self._forever is not None and not self._forever.done():
            self._forever.set_exception(self._failure)
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
            socket,
            "a client",
            extra,
            crowd=self._slots.crowd,
            close_timeout=self._close_timeout,
            ended=ended,
            closing=self._slots.closing,
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
            await begin_tls(
                transport, protocol, self._tls, server_side=True, handshake_timeout=self._handshake_timeout,
                shutdown_timeout=self._shutdown_timeout,
            )  # fmt: skip
        except (OSError, asyncio.CancelledError):  # no handshake: the client's affair
            transport.abort()
        except Exception as error:
            transport.abort()
            self._loop.call_exception_handler(
                {"message": "A client of the board could not be served", "exception": error, "transport": transport}
            )
