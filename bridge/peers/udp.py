"""UDP on this computer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Address = tuple[str, int]


class Datagrams(asyncio.DatagramProtocol):
    """A UDP socket; `received` is a queue of what came and from where."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[tuple[bytes, Address]] = asyncio.Queue()
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """See `asyncio.DatagramProtocol`."""
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        """See `asyncio.DatagramProtocol`."""
        self.received.put_nowait((data, address))

    @property
    def port(self) -> int:
        """Its UDP port."""
        return int(self.transport.get_extra_info("sockname")[1])

    def send(self, data: bytes, address: Address) -> None:
        """Send a datagram."""
        self.transport.sendto(data, address)


@asynccontextmanager
async def udp_socket(host: str) -> AsyncIterator[Datagrams]:
    """A UDP socket.

    Args:
        host: the address to bind to.
    """
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(Datagrams, local_addr=(host, 0))
    try:
        yield protocol
    finally:
        transport.close()


@dataclass
class UdpPeer:
    """A UDP server that runs.

    Attributes:
        host, port: where a board reaches it.
        received: what came, and from where.
    """

    host: str
    port: int = 0
    received: list[tuple[bytes, Address]] = field(default_factory=list)


class _Echo(asyncio.DatagramProtocol):
    def __init__(self, peer: UdpPeer) -> None:
        self._peer = peer
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        self._peer.received.append((data, address))
        self._transport.sendto(data, address)


@asynccontextmanager
async def udp_echo_server(host: str) -> AsyncIterator[UdpPeer]:
    """Sends each datagram back.

    Args:
        host: the address to bind to.
    """
    peer = UdpPeer(host)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Echo(peer), local_addr=(host, 0))
    peer.port = transport.get_extra_info("sockname")[1]
    try:
        yield peer
    finally:
        transport.close()
