"""The other ends of connections under test: on this computer's loopback, or in a virtual board's memory network."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from bridge.virtual.lwip.memnet import MemoryDatagrams, MemoryNetwork
from bridge.virtual.lwip.memstream import MemoryStream
from tests.hil.peers import Datagrams

Address = tuple[str, int]


class Far(Protocol):
    """The far end of one connection."""

    async def read(self, count: int = -1) -> bytes:
        """What has come, at least a byte; b"" at the end; -1 is all to the end."""

    async def read_exactly(self, count: int) -> bytes:
        """So many bytes."""

    def write(self, data: bytes) -> None:
        """Send."""

    async def drain(self) -> None:
        """Wait until most has been taken."""

    def close(self) -> None:
        """Say that no more comes (FIN)."""

    def abort(self) -> None:
        """Reset the connection (RST)."""

    def hold(self) -> None:
        """Take nothing more from the network."""


class LoopbackFar:
    """On this computer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self, count: int = -1) -> bytes:
        return await self._reader.read(count)

    async def read_exactly(self, count: int) -> bytes:
        return await self._reader.readexactly(count)

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    async def drain(self) -> None:
        await self._writer.drain()

    def close(self) -> None:
        self._writer.close()

    def abort(self) -> None:
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def hold(self) -> None:
        transport = self._writer.transport
        assert isinstance(transport, asyncio.ReadTransport)
        transport.pause_reading()

    async def gone(self) -> None:
        """Close, and wait until it is over."""
        with contextlib.suppress(OSError, AttributeError):  # the latter from asyncio's own, when it is over already
            self._writer.transport.abort()
            await self._writer.wait_closed()


class MemoryFar:
    """In the memory network."""

    def __init__(self, stream: MemoryStream) -> None:
        self._stream = stream
        self.read, self.read_exactly, self.write = stream.read, stream.read_exactly, stream.write
        self.drain, self.close, self.abort = stream.drain, stream.close, stream.abort

    def hold(self) -> None:
        """It takes what is read, and one buffer more."""

    async def gone(self) -> None:
        """Close, and wait until it is over."""
        self._stream.close()


class FarServer:
    """Listens at the far side."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.queue: asyncio.Queue[LoopbackFar | MemoryFar] = asyncio.Queue()
        self._done = asyncio.Event()
        self._made: list[LoopbackFar | MemoryFar] = []

    async def accept(self) -> Far:
        """The next connection."""
        return await self.queue.get()

    async def keep(self, far: LoopbackFar | MemoryFar) -> None:
        """Hand a connection over, and keep it until the end."""
        self._made.append(far)
        self.queue.put_nowait(far)
        await self._done.wait()

    async def end(self) -> None:
        """Close all connections."""
        self._done.set()
        for far in self._made:
            await far.gone()


@asynccontextmanager
async def loopback_server(host: str) -> AsyncIterator[FarServer]:
    """A far server on this computer."""
    far = FarServer(("", 0))
    server = await asyncio.start_server(lambda *stream: far.keep(LoopbackFar(*stream)), host, 0)
    far.address = server.sockets[0].getsockname()[:2]
    try:
        yield far
    finally:
        server.close()
        await far.end()


_next_port = iter(range(20_000, 60_000))


@asynccontextmanager
async def memory_server(network: MemoryNetwork, host: str) -> AsyncIterator[FarServer]:
    """A far server in the memory network."""
    far = FarServer((host, next(_next_port)))
    network.serve(*far.address, lambda stream: far.keep(MemoryFar(stream)))
    try:
        yield far
    finally:
        network.stop_serving(*far.address)
        await far.end()


class FarDatagrams(Protocol):
    """A UDP port at the far side."""

    address: Address

    async def receive(self) -> tuple[bytes, Address]:
        """The next datagram and its sender."""

    def send(self, data: bytes, to: Address) -> None:
        """Send one."""


class LoopbackDatagrams:
    """On this computer."""

    def __init__(self, datagrams: Datagrams, host: str) -> None:
        self._datagrams, self.address = datagrams, (host, datagrams.port)

    async def receive(self) -> tuple[bytes, Address]:
        return await self._datagrams.received.get()

    def send(self, data: bytes, to: Address) -> None:
        self._datagrams.send(data, to)


class MemoryPort:
    """In the memory network."""

    def __init__(self, network: MemoryNetwork, host: str) -> None:
        self.address = (host, next(_next_port))
        self._port: MemoryDatagrams = network.udp(*self.address)

    async def receive(self) -> tuple[bytes, Address]:
        return await self._port.receive()

    def send(self, data: bytes, to: Address) -> None:
        self._port.send(data, *to)
