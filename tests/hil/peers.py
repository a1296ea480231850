"""Network peers on the host, for the board to talk to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

#: How long a test waits for anything to come over the network, in seconds.
PATIENCE = 30.0


@asynccontextmanager
async def tcp_server(host: str, handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A TCP server on the host; gives its port. With settings of OpenSSL it speaks TLS."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (ConnectionError, ssl.SSLError):
            pass  # the board closes without a farewell
        finally:
            writer.close()

    server = await asyncio.start_server(serve, host, 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def tls_server(host: str, context: ssl.SSLContext, handler: Handler) -> AbstractAsyncContextManager[int]:
    """A TLS server on the host; gives its port."""
    return tcp_server(host, handler, context)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends back what comes, until the peer closes."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


class Datagrams(asyncio.DatagramProtocol):
    """A UDP socket on the host."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.received.put_nowait((data, address))

    @property
    def port(self) -> int:
        return int(self.transport.get_extra_info("sockname")[1])

    def send(self, data: bytes, address: tuple[str, int]) -> None:
        self.transport.sendto(data, address)


@asynccontextmanager
async def udp_socket(host: str) -> AsyncIterator[Datagrams]:
    """A UDP socket on the host."""
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(Datagrams, local_addr=(host, 0))
    try:
        yield protocol
    finally:
        transport.close()
