"""Servers of this computer, and programs that use forwards."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.programs import require

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(host: str, handler: Handler) -> AsyncIterator[int]:
    """A TCP server; gives its port. What handlers still do at the end is cancelled."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, host, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in [*tasks]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def web_server(host: str, folder: Path) -> AsyncIterator[int]:
    """Python's own web server (a thread for each client) in a process of its own; gives its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-u", "-m", "http.server", "--bind", host, "--directory", str(folder), "0",
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = await process.stdout.readline()
        yield int(line.split(b" port ")[1].split()[0])
    finally:
        process.kill()
        await process.wait()
        del process


async def program(*arguments: str, stdin: bytes | None = None) -> tuple[int, bytes, bytes]:
    """Run a system program; its exit code, standard output and standard error."""
    process = await asyncio.create_subprocess_exec(
        require(arguments[0]), *arguments[1:],
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        out, err = await process.communicate(stdin)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return process.returncode, out, err


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what comes, until the peer closes."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def ask(address: tuple[str, int], question: bytes, size: int) -> bytes:
    """Connect, send, and read an answer of so many bytes."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(question)
        return await reader.readexactly(size)
    finally:
        writer.close()
        await writer.wait_closed()


class Datagrams(asyncio.DatagramProtocol):
    """A UDP socket that sends to one place."""

    def __init__(self) -> None:
        self._came: asyncio.Queue[bytes] = asyncio.Queue()
        self._transport: asyncio.DatagramTransport | None = None

    @classmethod
    @asynccontextmanager
    async def connected(cls, address: tuple[str, int]) -> AsyncIterator[Datagrams]:
        loop = asyncio.get_running_loop()
        transport, made = await loop.create_datagram_endpoint(cls, remote_addr=address)
        made._transport = transport
        try:
            yield made
        finally:
            transport.close()

    def send(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.sendto(data)

    async def next(self) -> bytes:
        return await asyncio.wait_for(self._came.get(), 30)

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._came.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there at the moment."""


@asynccontextmanager
async def udp_served(host: str, answer: Callable[[bytes], bytes]) -> AsyncIterator[int]:
    """Answers datagrams; gives its port."""

    class Service(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: object) -> None:
            self.transport.sendto(answer(data), addr)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Service, local_addr=(host, 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
