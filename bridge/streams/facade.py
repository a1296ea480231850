"""What a board offers to programs that were written for asyncio's own sockets."""

from __future__ import annotations

import asyncio
import functools
import ssl as ssl_module
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, TypeVar

from bridge.errors import ArgumentRefused
from bridge.mirror.net import Net
from bridge.mirror.tls import TLS
from bridge.streams.binding import bind_datagrams, where_to_bind
from bridge.streams.connecting import CONNECT_TIMEOUT, SLOT_TIMEOUT, Connector
from bridge.streams.host_tls import begin_tls, client_context
from bridge.streams.server import BoardServer
from bridge.streams.slots import Slots
from bridge.streams.transport import CLOSE_TIMEOUT

P = TypeVar("P", bound=asyncio.BaseProtocol)
Encryption = ssl_module.SSLContext | bool | Literal["board"] | None
#: Called for each client; may be a coroutine function.
ClientHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None] | None]
#: Bytes that a `StreamReader` keeps before it pauses: asyncio's own figure.
LIMIT = 65_536


class Streams:
    """asyncio's functions for sockets, over the network of a board.

    Their arguments are those of their namesakes in asyncio, as far as the stack has what they mean, and these besides:

        ssl: an `SSLContext` or True encrypts on the host, over the board's TCP; "board" lets the board's own module
            `tls` do it.
        timeout: seconds for name and connection.
        slot_timeout: seconds to wait while all five connections that the stack serves are in use.
        close_timeout: seconds from `close` until what was written has left.
    """

    net: Net
    tls: TLS

    @functools.cached_property
    def _slots(self) -> Slots:
        return Slots()

    @property
    def url(self) -> str:
        """The URL or path of the board's port."""
        raise NotImplementedError

    async def create_connection(
        self,
        protocol_factory: Callable[[], P],
        host: str,
        port: int,
        *,
        ssl: Encryption = None,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        timeout: float | None = CONNECT_TIMEOUT,
        slot_timeout: float | None = SLOT_TIMEOUT,
        close_timeout: float = CLOSE_TIMEOUT,
    ) -> tuple[asyncio.Transport, P]:
        """Connect, as `loop.create_connection`.

        Args:
            protocol_factory: makes the protocol.
            host: name, which the board resolves, or IPv4 address.
            port: TCP port.
            ssl, timeout, slot_timeout, close_timeout: see the class.
            server_hostname: whose certificate is wanted, if not the host's; "" does not look.
            ssl_handshake_timeout, ssl_shutdown_timeout: seconds, as in asyncio.

        Raises:
            DNSFailed: also a `socket.gaierror`.
            ConnectRefused, NetTimeout, ConnectionLost: also a `ConnectionRefusedError`, a `TimeoutError`, a
                `ConnectionError`.
            ssl.SSLError: the handshake failed.
            ArgumentRefused: also a `ValueError`: an argument that cannot be meant.
            AgentError: "board", and the firmware has no module `tls`.
        """
        context = None if ssl in (None, False, "board") else client_context(ssl)  # type: ignore[arg-type]
        if context is None:
            given = {
                "server_hostname": server_hostname,
                "ssl_handshake_timeout": ssl_handshake_timeout,
                "ssl_shutdown_timeout": ssl_shutdown_timeout,
            }
            _only_with_tls(given)
        transport = await Connector(self.net, self.tls, self._slots, self.url).connect(
            host, port, over_tls=ssl == "board", timeout=timeout, slot_timeout=slot_timeout,
            close_timeout=close_timeout,
        )  # fmt: skip
        try:
            protocol = protocol_factory()
            if context is None:
                transport.begin(protocol)
                return transport, protocol
            transport.begin(asyncio.Protocol())
            encrypted = await begin_tls(
                transport,
                protocol,
                context,
                server_hostname=host if server_hostname is None else server_hostname,
                handshake_timeout=ssl_handshake_timeout,
                shutdown_timeout=ssl_shutdown_timeout,
            )
        except BaseException:
            transport.abort()
            raise
        return encrypted, protocol

    async def open_connection(
        self, host: str, port: int, *, limit: int = LIMIT, **options: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect, as `asyncio.open_connection`.

        Args:
            host, port: see `create_connection`.
            limit: bytes that the reader keeps before the peer is slowed down.
            options: of `create_connection`.
        """
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=limit, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport, _ = await self.create_connection(lambda: protocol, host, port, **options)
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    async def create_server(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        port: int | str | None = None,
        host: int | str | None = None,
        *,
        ssl: ssl_module.SSLContext | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        start_serving: bool = True,
        timeout: int | None = None,
        close_timeout: float = CLOSE_TIMEOUT,
    ) -> BoardServer:
        """Listen on the board, as `loop.create_server`.

        Args:
            protocol_factory: makes a protocol for each client.
            port: TCP port; None or 0 lets the board choose, and `BoardServer.sockets` tells.
            host: address of the board to listen on; None is all. Host and port may come in asyncio's order as well.
            ssl: encrypts on the host.
            ssl_handshake_timeout, ssl_shutdown_timeout: seconds, as in asyncio.
            start_serving: False waits for `BoardServer.start_serving` or `serve_forever`; the board knows no port that
                is taken and not listened on, so `sockets` is empty until then.
            timeout: seconds of silence after which the board asks a client whether it is there; see
                `Net.createServer`.
            close_timeout: see the class.

        Raises:
            ListenRefused: also an `OSError`: the port is taken, or the address is not the board's.
            ArgumentRefused: also a `ValueError`: port or host is none.
            TypeError: `ssl` is no `SSLContext`.
        """
        ip, tcp_port = where_to_bind(port, host)
        if ssl is not None and not isinstance(ssl, ssl_module.SSLContext):
            raise TypeError("ssl argument must be an SSLContext or None")
        if ssl is None:
            _only_with_tls(
                {"ssl_handshake_timeout": ssl_handshake_timeout, "ssl_shutdown_timeout": ssl_shutdown_timeout}
            )
        server = BoardServer(
            await self.net.createServer(timeout=timeout),
            protocol_factory,
            self._slots,
            (ip, tcp_port),
            tls=ssl,
            handshake_timeout=ssl_handshake_timeout,
            shutdown_timeout=ssl_shutdown_timeout,
            close_timeout=close_timeout,
        )
        try:
            if start_serving:
                await server.start_serving()
        except BaseException:
            server.close()
            raise
        return server

    async def start_server(
        self,
        client_connected_cb: ClientHandler,
        port: int | str | None = None,
        host: int | str | None = None,
        *,
        limit: int = LIMIT,
        **options: Any,
    ) -> BoardServer:
        """Listen on the board, as `asyncio.start_server`.

        Args:
            client_connected_cb: called with a reader and a writer for each client; may be a coroutine function.
            port, host: see `create_server`.
            limit: bytes that a reader keeps before its client is slowed down.
            options: of `create_server`.
        """
        loop = asyncio.get_running_loop()

        def factory() -> asyncio.StreamReaderProtocol:
            reader = asyncio.StreamReader(limit=limit, loop=loop)
            return asyncio.StreamReaderProtocol(reader, client_connected_cb, loop=loop)

        return await self.create_server(factory, port, host, **options)

    async def create_datagram_endpoint(
        self,
        protocol_factory: Callable[[], P],
        local_addr: tuple[str | None, int] | None = None,
        remote_addr: tuple[str, int] | None = None,
        *,
        allow_broadcast: bool | None = None,
        timeout: float | None = CONNECT_TIMEOUT,
    ) -> tuple[asyncio.DatagramTransport, P]:
        """Open a UDP port of the board, as `loop.create_datagram_endpoint`.

        Args:
            protocol_factory: makes the protocol.
            local_addr: address of the board (None, "" or "0.0.0.0" is all) and port; port 0, or no `local_addr`, lets
                the board choose, and `get_extra_info("sockname")` tells.
            remote_addr: the one peer: `sendto` needs no address then, and from others nothing is received.
            allow_broadcast: of no effect: the board may.
            timeout: seconds for the peer's name.

        Raises:
            ListenRefused: also an `OSError`: the port is taken, or the address is not the board's.
            DNSFailed: nobody knows the peer's name.
            NetTimeout: also a `TimeoutError`.
            ArgumentRefused: also a `ValueError`: an address or a port is none.
        """
        transport = await bind_datagrams(self.net, local_addr, remote_addr, timeout, self.url)
        try:
            protocol = protocol_factory()
        except BaseException:
            transport.abort()
            raise
        transport.begin(protocol)
        return transport, protocol


def _only_with_tls(given: Mapping[str, object]) -> None:
    """As asyncio: what only TLS on the host needs is an error without it.

    Raises:
        ArgumentRefused: one of these is given.
    """
    for name, value in given.items():
        if value is not None:
            raise ArgumentRefused(f"{name} is only meaningful with ssl")
