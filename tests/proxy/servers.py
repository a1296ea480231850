"""Servers on this machine for the board to reach."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(host: str, handler: Handler) -> AsyncIterator[int]:
    """A TCP server; gives its port. Its connections end with it."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handler(reader, writer)
        except (ConnectionError, EOFError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    made = await asyncio.start_server(serve, host, 0)
    try:
        yield made.sockets[0].getsockname()[1]
    finally:
        made.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends back what comes, until the peer closes."""
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


def refused_port(host: str) -> int:
    """A port on which nobody listens."""
    with socket.socket() as held:
        held.bind((host, 0))
        return int(held.getsockname()[1])


class Echo(asyncio.DatagramProtocol):
    """Sends datagrams back."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(self.answer(data), addr)

    def answer(self, data: bytes) -> bytes:
        """What is sent back."""
        return data


@asynccontextmanager
async def datagram_server(host: str, protocol: type[Echo] = Echo) -> AsyncIterator[int]:
    """A UDP server; gives its port."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(protocol, local_addr=(host, 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
