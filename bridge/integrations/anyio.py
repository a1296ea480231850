"""anyio over a board, on asyncio: byte streams and listeners.

async with await connect_tcp(board, "example.com", 80) as stream:
    await stream.send(b"GET / HTTP/1.0\\r\\n\\r\\n")
    print(await stream.receive())
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Literal

import anyio
import anyio.lowlevel
from anyio import abc
from anyio.streams.tls import TLSStream

from bridge.errors import BridgeError
from bridge.integrations.closing import close
from bridge.streams import BoardServer, Streams

#: As anyio's functions take addresses.
Address = str | IPv4Address | IPv6Address


def _attributes(name: Any, peer: Any) -> Mapping[Any, Callable[[], Any]]:
    known: dict[Any, Callable[[], Any]] = {abc.SocketAttribute.family: lambda: socket.AF_INET}
    if name is not None:
        known[abc.SocketAttribute.local_address] = lambda: name
        known[abc.SocketAttribute.local_port] = lambda: name[1]
    if peer is not None:
        known[abc.SocketAttribute.remote_address] = lambda: peer
        known[abc.SocketAttribute.remote_port] = lambda: peer[1]
    return known


class BoardStream(abc.ByteStream):
    """A connection of the board; `TLSStream.wrap` takes it.

    Args:
        reader, writer: of the connection.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._closed = self._sent_in_vain = False
        self._receiving, self._sending = anyio.ResourceGuard("reading from"), anyio.ResourceGuard("writing to")

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        """Those of `anyio.abc.SocketAttribute` but for `raw_socket`: there is none."""
        info = self._writer.get_extra_info
        return _attributes(info("sockname"), info("peername"))

    async def receive(self, max_bytes: int = 65_536) -> bytes:
        """Up to so many bytes.

        Raises:
            anyio.EndOfStream: the peer has closed.
            anyio.BrokenResourceError: the connection broke; the cause says why.
            anyio.ClosedResourceError, anyio.BusyResourceError: as ever.
        """
        if max_bytes < 1:
            raise ValueError("max_bytes must be a positive integer")
        with self._receiving:
            await anyio.lowlevel.checkpoint()
            try:
                data = b"" if self._closed else await self._reader.read(max_bytes)
            except OSError as error:
                raise self._broken() from error
        if data:
            return data
        raise anyio.ClosedResourceError if self._closed else anyio.EndOfStream

    async def send(self, item: bytes) -> None:
        """Send all of it; returns when few enough bytes wait for the board.

        What is sent first after the peer has closed is lost and nobody is told, as with sockets: TLS answers its
        peer's farewell so.

        Raises:
            anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.BusyResourceError: see `receive`.
        """
        with self._sending:
            await anyio.lowlevel.checkpoint()
            if self._closed:
                raise anyio.ClosedResourceError
            if self._writer.is_closing() and self._reader.exception() is None and not self._sent_in_vain:
                self._sent_in_vain = True
                return
            try:
                self._writer.write(item)
                await self._writer.drain()
            except OSError as error:
                raise self._broken() from error
            if self._closed:  # meanwhile: it need not have left
                raise anyio.ClosedResourceError

    async def send_eof(self) -> None:
        """Raises NotImplementedError: the stock firmware cannot close one side of a connection."""
        raise NotImplementedError("The stock firmware cannot close one side of a connection")

    async def aclose(self) -> None:
        """Close; what was sent leaves first, unless this is cancelled."""
        self._closed = True
        await close(self._writer)

    def abort(self) -> None:
        """Close at once; what has not left is lost."""
        self._closed = True
        self._writer.transport.abort()

    def _broken(self) -> Exception:
        return anyio.ClosedResourceError() if self._closed else anyio.BrokenResourceError()


class BoardListener(abc.Listener[BoardStream]):
    """Listens on the board; made by `create_tcp_listener`."""

    def __init__(self) -> None:
        #: Clients that nobody has accepted yet. (A memory stream of anyio loses what it hands to a task that is
        #: cancelled in the same moment, and a client would stay for ever.)
        self._arrived: deque[BoardStream] = deque()
        self._news = asyncio.Event()
        self._server: BoardServer | None = None
        self._watch: asyncio.Task[None] | None = None
        self._lost: OSError | None = None
        self._over = self._closed = False

    async def begin(self, board: Streams, port: int, host: str | None) -> None:
        """Listen; `create_tcp_listener` does this."""
        self._server = await board.start_server(self._accepted, port, host)
        # Ends with the listener and its clients, or when the board has gone.
        self._watch = asyncio.ensure_future(self._server.serve_forever())
        self._watch.add_done_callback(self._ended)

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        """Family and local address."""
        server = self._server
        return _attributes(server.sockets[0].getsockname() if server and server.sockets else None, None)

    async def accept(self) -> BoardStream:
        """The next client.

        Raises:
            anyio.BrokenResourceError: the board restarted or went away; the cause says so.
            anyio.ClosedResourceError: this was closed.
        """
        await anyio.lowlevel.checkpoint()
        while not self._arrived:
            if self._over:
                if self._lost is None or self._closed:
                    raise anyio.ClosedResourceError
                raise anyio.BrokenResourceError from self._lost
            self._news.clear()
            await self._news.wait()
        return self._arrived.popleft()

    async def serve(self, handler: Callable[[BoardStream], Any], task_group: abc.TaskGroup | None = None) -> None:
        """Call a handler for each client, in a task of the group, or of a group of its own.

        Raises:
            anyio.BrokenResourceError, anyio.ClosedResourceError: see `accept`.
        """
        if task_group is None:
            async with anyio.create_task_group() as group:
                await self.serve(handler, group)
        else:
            while True:
                task_group.start_soon(handler, await self.accept())

    async def aclose(self) -> None:
        """Stop listening; clients that were accepted stay, others are let go."""
        self._closed = True
        self._end()
        while self._arrived:
            self._arrived.popleft().abort()
        if self._server is not None:
            self._server.close()
            await self._server.stopped()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._closed:
            writer.transport.abort()
        else:
            self._arrived.append(BoardStream(reader, writer))
            self._news.set()

    def _ended(self, watch: asyncio.Task[None]) -> None:
        error = None if watch.cancelled() else watch.exception()
        self._lost = error if isinstance(error, OSError) else None
        self._end()

    def _end(self) -> None:
        self._over = True
        self._news.set()


async def connect_tcp(
    board: Streams,
    remote_host: Address,
    remote_port: int,
    *,
    tls: bool | Literal["board"] = False,
    ssl_context: ssl.SSLContext | None = None,
    tls_standard_compatible: bool = True,
    tls_hostname: str | None = None,
) -> BoardStream | TLSStream:
    """Connect by the board, as `anyio.connect_tcp`.

    Args:
        board: an open `bridge.Board`.
        remote_host: name, which the board resolves, or IPv4 address.
        remote_port: TCP port.
        tls: True for TLS of the host, as in anyio; "board" lets the board's module `tls` encrypt.
        ssl_context, tls_standard_compatible, tls_hostname: as in anyio.

    Raises:
        anyio.ConnectionFailed: there is no connection; the cause says why.
        ssl.SSLError: the handshake failed.
    """
    try:
        pair = await board.open_connection(str(remote_host), remote_port, ssl="board" if tls == "board" else None)
    except ssl.SSLError:
        raise
    except (OSError, BridgeError) as error:
        raise anyio.ConnectionFailed(str(error)) from error
    stream = BoardStream(*pair)
    if tls == "board" or not (tls or tls_hostname or ssl_context):
        return stream
    try:
        return await TLSStream.wrap(
            stream,
            server_side=False,
            hostname=tls_hostname or str(remote_host),
            ssl_context=ssl_context,
            standard_compatible=tls_standard_compatible,
        )
    except BaseException:
        await anyio.aclose_forcefully(stream)
        raise


async def create_tcp_listener(
    board: Streams, *, local_port: int = 0, local_host: Address | None = None
) -> BoardListener:
    """Listen on the board, as `anyio.create_tcp_listener`.

    Args:
        board: an open `bridge.Board`.
        local_port: TCP port of the board; 0 lets it choose.
        local_host: address of the board to listen on; None is all.

    Raises:
        ListenRefused: the port is taken, or the address is not the board's; it is an OSError.
    """
    listener = BoardListener()
    try:
        await listener.begin(board, local_port, None if local_host is None else str(local_host))
    except BaseException:
        await anyio.aclose_forcefully(listener)
        raise
    return listener
