"""TCP servers: one that echoes, and some that behave as badly as real ones do."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

#: Bytes that are read at once.
_PIECE = 65_536
#: A receive buffer that still takes a segment: with less Linux lets nothing through but probes.
_LITTLE = 4_096


@dataclass
class Peer:
    """A server that runs.

    Attributes:
        host, port: where a board reaches it.
        connections: how many it has taken so far.
        received: what came over all of them, in the order in which it came.
        idle: set while none of them stands: `await peer.idle.wait()`.
    """

    host: str
    port: int = 0
    connections: int = 0
    received: bytearray = field(default_factory=bytearray)
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    _standing: int = 0

    def __post_init__(self) -> None:
        self.idle.set()

    @contextmanager
    def serving(self) -> Iterator[None]:
        """One more connection, until the end of the block."""
        self.connections += 1
        self._standing += 1
        self.idle.clear()
        try:
            yield
        finally:
            self._standing -= 1
            if not self._standing:
                self.idle.set()


@asynccontextmanager
async def tcp_server(
    host: str, handler: Handler, context: ssl.SSLContext | None = None, *, room: int | None = None
) -> AsyncIterator[int]:
    """A TCP server; gives its port. Connections that stand at the end are closed.

    Args:
        host: the address to listen on.
        handler: serves one connection; it is closed when this returns.
        context: with settings of OpenSSL it speaks TLS.
        room: bytes that this program takes ahead of the handler; the system then takes little, too.
    """
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            if context is not None:  # here, so that a peer that never begins its handshake is let go of with the others
                await writer.start_tls(context)
            await handler(reader, writer)
        except (ConnectionError, ssl.SSLError, asyncio.CancelledError):
            pass  # the board closes without a farewell, or the test is over
        finally:
            serving.discard(task)
            writer.close()

    listening = socket.create_server((host, 0))
    if room is not None:  # the sockets that are taken have it from this one
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _LITTLE)
    server = await asyncio.start_server(serve, sock=listening, limit=room or _PIECE)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        left = list(serving)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends back what comes, until the peer closes."""
    while data := await reader.read(_PIECE):
        writer.write(data)
        await writer.drain()


@asynccontextmanager
async def echo_server(host: str) -> AsyncIterator[Peer]:
    """Sends back what comes, until the board closes.

    Args:
        host: the address to listen on.
    """
    peer = Peer(host)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with peer.serving():
            while data := await reader.read(_PIECE):
                peer.received += data
                writer.write(data)
                await writer.drain()

    async with tcp_server(host, serve) as peer.port:
        yield peer


@asynccontextmanager
async def slow_server(host: str, *, rate: float = 1_000.0) -> AsyncIterator[Peer]:
    """Echoes, but takes and sends so little in a second that a sender meets a full window.

    Args:
        host: the address to listen on.
        rate: bytes a second.
    """
    peer = Peer(host)
    piece = max(1, int(rate / 20))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with peer.serving():
            while data := await reader.read(piece):
                peer.received += data
                writer.write(data)
                await writer.drain()
                await asyncio.sleep(len(data) / rate)

    async with tcp_server(host, serve, room=piece) as peer.port:
        yield peer


@asynccontextmanager
async def resetting_server(host: str, *, after: int = 1) -> AsyncIterator[Peer]:
    """Resets each connection (RST, by SO_LINGER 0) when so many bytes have come.

    Args:
        host: the address to listen on.
        after: bytes; 0 resets at once.
    """
    peer = Peer(host)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with peer.serving():
            came = 0
            while came < after and (data := await reader.read(_PIECE)):
                came += len(data)
                peer.received += data
            reset(writer)

    async with tcp_server(host, serve) as peer.port:
        yield peer


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by a reset."""
    own = writer.get_extra_info("socket")
    own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def half_closing_server(host: str, *, farewell: bytes = b"bye\n") -> AsyncIterator[Peer]:
    """Sends a farewell and ends its own direction (FIN), and goes on to read until the board closes.

    Args:
        host: the address to listen on.
        farewell: what it sends.
    """
    peer = Peer(host)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with peer.serving():
            writer.write(farewell)
            writer.write_eof()
            while data := await reader.read(_PIECE):
                peer.received += data

    async with tcp_server(host, serve) as peer.port:
        yield peer
