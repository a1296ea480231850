"""aiohttp over a board: a connector for its client, and a way to serve its applications.

async with aiohttp.ClientSession(connector=BoardConnector(board)) as session:
    async with session.get("https://example.com/") as response: ...

await serve(board, application, 80)
"""

from __future__ import annotations

import asyncio
import socket
import ssl as ssl_module
from collections.abc import Callable
from typing import Any

import aiohttp
from aiohttp import abc, web
from aiohttp.client_proto import ResponseHandler

from bridge.errors import BridgeError, ConnectionLost, UsageError
from bridge.integrations.encryption import KEPT_IDLE, Encryption, most_connections
from bridge.streams import BoardServer, Streams
from bridge.streams.slots import MOST


class _Names(abc.AbstractResolver):
    """Leaves names as they are: the board resolves them as it connects."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[abc.ResolveResult]:
        return [
            {"hostname": host, "host": host, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0},
        ]

    async def close(self) -> None:
        pass


class BoardConnector(aiohttp.TCPConnector):
    """For `aiohttp.ClientSession(connector=…)`: connections and names are the board's. Make it in a coroutine.

    Args:
        board: an open `bridge.Board`.
        tls: who encrypts `https`: "host" or "board" (its module `tls`, with which `ssl` means nothing).
        options: of `aiohttp.TCPConnector`. `limit` is 5 unless given, what the stack serves; with `tls="board"` it is
            1, what the board's heap holds; `keepalive_timeout` is 5 s, as who else uses the board may wait for an idle
            connection. What is of sockets (`local_addr`, `family`, `happy_eyeballs_delay`) has no
            meaning here.

    Raises:
        UsageError: nobody is called `tls`; also from a request with a fingerprint, which the board cannot check.
    """

    def __init__(self, board: Streams, *, tls: Encryption = "host", **options: Any) -> None:
        options = {"limit": most_connections(tls), "keepalive_timeout": KEPT_IDLE, **options}
        super().__init__(**options, resolver=_Names(), use_dns_cache=False)
        self._board, self._by_board = board, tls == "board"
        #: Connections that stand, oldest first, and whether a request has them.
        self._standing: dict[asyncio.BaseTransport, bool] = {}
        #: Connections that are being made.
        self._coming = 0

    async def connect(self, req: Any, traces: Any, timeout: aiohttp.ClientTimeout) -> Any:
        """A connection for a request; aiohttp calls this."""
        connection = await super().connect(req, traces, timeout)
        transport = connection.transport
        if transport in self._standing:
            self._standing[transport] = True
            connection.add_callback(lambda: self._released(transport))
        return connection

    # The one name that is aiohttp's own affair; whoever brings other connections replaces it (aiohttp-socks does).
    async def _wrap_create_connection(
        self,
        *args: Any,
        addr_infos: list[Any],
        req: Any,
        timeout: aiohttp.ClientTimeout,
        client_error: type[Exception] = aiohttp.ClientConnectorError,
        **kwargs: Any,
    ) -> tuple[asyncio.Transport, ResponseHandler]:
        """Connect: what the connector above does with sockets. Errors are those that it raises."""
        self._make_room()
        (factory,), (host, port, *_) = args, addr_infos[0][4]
        by_board = self._by_board and kwargs.get("ssl") is not None
        fingerprint = self._get_fingerprint(req)  # of the request or of this connector: no public name tells
        if by_board and fingerprint is not None:
            raise UsageError(
                "The board cannot compare a certificate with a fingerprint",
                remedy='Leave tls="board" out, or name the certificate to `board.tls.cert.verify`.',
            )
        self._coming += 1
        try:
            async with asyncio.timeout(timeout.sock_connect):
                transport, protocol = await self._board.create_connection(
                    factory,
                    host,
                    port,
                    ssl="board" if by_board else kwargs.get("ssl"),
                    server_hostname=None if by_board else kwargs.get("server_hostname"),
                )
        except ssl_module.CertificateError as error:
            raise aiohttp.ClientConnectorCertificateError(req.connection_key, error) from error
        except ssl_module.SSLError as error:
            raise aiohttp.ClientConnectorSSLError(req.connection_key, error) from error
        except socket.gaierror as error:
            raise aiohttp.ClientConnectorDNSError(req.connection_key, error) from error
        except OSError as error:
            if error.errno is None and isinstance(error, TimeoutError):
                raise
            raise client_error(req.connection_key, error) from error
        except BridgeError as error:
            raise client_error(req.connection_key, ConnectionLost(str(error))) from error
        finally:
            self._coming -= 1
        if fingerprint is not None:
            # The connector above would look for it as well, but asks a socket who the peer is if it is a wrong one.
            try:
                fingerprint.check(transport)
            except aiohttp.ServerFingerprintMismatch:
                transport.abort()
                raise
        self._standing[transport] = True
        return transport, protocol

    def _make_room(self) -> None:
        """Close what waits for a next request if it is in the way: aiohttp does not count it, and the board does."""
        self._standing = {each: busy for each, busy in self._standing.items() if not each.is_closing()}
        idle = [each for each, busy in self._standing.items() if not busy]
        # Without a limit as many as the stack serves, too.
        too_many = len(self._standing) + self._coming + 1 - (self.limit or MOST)
        for transport in idle[: max(0, too_many)]:
            del self._standing[transport]
            transport.close()

    def _released(self, transport: asyncio.BaseTransport) -> None:
        if transport in self._standing:
            self._standing[transport] = False


async def serve(
    board: Streams,
    application: web.Application,
    port: int = 80,
    host: str | None = None,
    *,
    ssl: ssl_module.SSLContext | None = None,
    started: Callable[[BoardServer], object] | None = None,
    **options: Any,
) -> None:
    """Serve an aiohttp application's requests that arrive at the board, until cancelled; then end as aiohttp does.

    Args:
        board: an open `bridge.Board`.
        application: what answers.
        port: TCP port of the board; 0 lets it choose.
        host: address of the board to listen on; None is all.
        ssl: encrypts on the host.
        started: called with the server when it listens; `sockets` of it tells where.
        options: of `aiohttp.web.AppRunner`, such as `shutdown_timeout`, in seconds. `keepalive_timeout` is 10 s unless
            given: a client that says nothing holds one of the stack's five connections.

    Raises:
        ConnectionReset: the board restarted, or went away.
        ListenRefused: the port is taken, or the address is not the board's.
    """
    runner = web.AppRunner(application, **{"keepalive_timeout": 10.0, **options})
    try:
        await runner.setup()
        assert runner.server is not None
        server = await board.create_server(runner.server, port, host, ssl=ssl)
    except BaseException:
        await runner.cleanup()
        raise
    # A task of its own: when it ends it waits for the clients, which go when the runner lets them go.
    ended = asyncio.ensure_future(server.serve_forever())
    try:
        if started is not None:
            started(server)
        await asyncio.wait([ended])
    finally:
        server.close()
        try:
            await runner.cleanup()  # once: what the application does at its end it does each time
        finally:
            server.close_clients()
            (outcome,) = await asyncio.gather(ended, return_exceptions=True)
    if isinstance(outcome, ConnectionError):
        raise outcome
