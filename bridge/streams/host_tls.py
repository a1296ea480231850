"""TLS on the host over a connection of the board: server names, 16 KiB records, the certificates of this computer."""

from __future__ import annotations

import asyncio
import ssl

from bridge.errors import ArgumentRefused
from bridge.streams.deliver import give


class _Beginning(asyncio.Protocol):
    """Keeps what comes between the end of the handshake and the protocol's beginning."""

    def __init__(self) -> None:
        self.data = b""
        self.eof = False
        self.lost: list[Exception | None] = []

    def data_received(self, data: bytes) -> None:
        self.data += data

    def eof_received(self) -> None:
        self.eof = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.append(exc)


async def begin_tls(
    transport: asyncio.Transport,
    protocol: asyncio.BaseProtocol,
    context: ssl.SSLContext,
    *,
    server_side: bool = False,
    server_hostname: str | None = None,
    handshake_timeout: float | None = None,
    shutdown_timeout: float | None = None,
) -> asyncio.Transport:
    """Shake hands over a transport, and make the connection of a protocol over the encrypted one.

    Args:
        transport: stands, with any protocol.
        protocol: gets its `connection_made` when the handshake is done.
        context: whose certificates count.
        server_side, server_hostname, handshake_timeout, shutdown_timeout: as of `loop.start_tls`.

    Raises:
        ssl.SSLError, ConnectionError: the handshake failed; the transport is closed.
    """
    loop = asyncio.get_running_loop()
    beginning = _Beginning()
    encrypted = await loop.start_tls(
        transport,
        beginning,
        context,
        server_side=server_side,
        server_hostname=server_hostname,
        ssl_handshake_timeout=handshake_timeout,
        ssl_shutdown_timeout=shutdown_timeout,
    )
    assert encrypted is not None
    protocol.connection_made(encrypted)
    encrypted.set_protocol(protocol)
    if beginning.data:
        give(protocol, beginning.data)
    if beginning.eof and isinstance(protocol, asyncio.Protocol | asyncio.BufferedProtocol):
        protocol.eof_received()
    for error in beginning.lost:
        protocol.connection_lost(error)
    return encrypted


def client_context(ssl_: ssl.SSLContext | bool) -> ssl.SSLContext:
    """The context that a caller's `ssl=` means; True is Python's default one.

    Raises:
        ArgumentRefused: it is no context.
    """
    if ssl_ is True:
        return ssl.create_default_context()
    if not isinstance(ssl_, ssl.SSLContext):
        raise ArgumentRefused(f"{ssl_!r} is nothing to encrypt with", remedy='Give an SSLContext, True, or "board".')
    return ssl_
