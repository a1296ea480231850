"""A board to measure on, and a peer in its network."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bridge.bench.counting import CountingPort
from bridge.bench.plan import Plan, Row
from bridge.board import Board
from bridge.errors import BridgeError
from bridge.ports.base import Port
from bridge.trace import Recorder, TracedPort, open_traced
from bridge.virtual.board import VirtualBoard
from bridge.virtual.lwip.address import dotted
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.options import VirtualOptions, parse_url
from bridge.virtual.port import VirtualPort

#: TCP port of the peer in a network in memory.
_PEER_PORT = 9


class PeerStream(Protocol):
    """A connection as a peer has it, on either kind of network."""

    async def read(self, limit: int = -1) -> bytes:
        """Up to so many bytes; none at the end."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    async def drain(self) -> None:
        """Wait until most of them are on their way."""


Handler = Callable[[PeerStream], Awaitable[None]]


@dataclass
class _Connection:
    """A connection of this computer."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def read(self, limit: int = -1) -> bytes:
        return await self.reader.read(limit)

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    async def drain(self) -> None:
        await self.writer.drain()


@dataclass
class Rig:
    """A port with a board at its prompt, at the console's speed.

    Attributes:
        port: counts the bytes.
        virtual: the board itself, if it is one of this process.
    """

    port: CountingPort
    virtual: VirtualBoard | None = None

    @property
    def system(self) -> Any:
        """The running firmware of a virtual board, or None on a real one."""
        application: Any = None if self.virtual is None else self.virtual.chip.application
        return None if application is None else application.system

    @contextlib.asynccontextmanager
    async def peer(self, board: Board, handler: Handler, *, ack_delay: float = 0.0) -> AsyncIterator[tuple[int, str]]:
        """A TCP server in the board's network: its port and address.

        Args:
            board: that is to reach it.
            handler: serves a connection, which is closed at its end.
            ack_delay: seconds that acknowledgements wait; a real network's host has its own mind about that.

        Raises:
            BridgeError: the board has joined no network.
        """
        network = None if self.virtual is None else self.virtual.network
        if isinstance(network, MemoryNetwork):
            host = dotted(network.site.gateway)
            network.serve(host, _PEER_PORT, handler, ack_delay=ack_delay)
            try:
                yield _PEER_PORT, host
            finally:
                network.stop_serving(host, _PEER_PORT)
            return

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                await handler(_Connection(reader, writer))
            writer.close()

        host = await _own_address(board)
        server = await asyncio.start_server(serve, host, 0)
        try:
            yield server.sockets[0].getsockname()[1], host
        finally:
            server.close()

    def sink(self, board: Board) -> contextlib.AbstractAsyncContextManager[tuple[int, str]]:
        """A TCP server in the board's network that reads and drops what comes; see `peer`."""
        return self.peer(board, _drop)


@contextlib.asynccontextmanager
async def rig_for(plan: Plan, row: Row, *, trace: Path | None = None) -> AsyncIterator[Rig]:
    """A board for one row: a fresh one on `virtual:`, else the one at the port.

    Args:
        plan: which board.
        row: the line.
        trace: file for what goes over it.

    Raises:
        UsageError: the URL is not one, or the trace cannot be written.
        PortError: the port cannot be opened.
    """
    port: Port
    if not plan.virtual:
        port = await open_traced(plan.url, trace=trace)
        try:
            yield Rig(CountingPort(port))
        finally:
            await port.close()
        return
    async with VirtualBoard(virtual_options(plan, row)) as virtual:
        await virtual.answered()
        port = VirtualPort(virtual, url=plan.url)
        if trace is not None:
            port = TracedPort(port, Recorder(trace, plan.url, asyncio.get_running_loop()))
        try:
            yield Rig(CountingPort(port), virtual)
        finally:
            await port.close()


def virtual_options(plan: Plan, row: Row) -> VirtualOptions:
    """What the virtual board of a row is like: the URL's options, with the row's adapter and the run's seed."""
    options = parse_url(plan.url) if plan.virtual else VirtualOptions()
    latency = options.adapter_latency_ms if row.latency_ms is None else row.latency_ms
    return dataclasses.replace(
        options,
        adapter_latency_ms=latency,
        cpu=options.cpu * plan.cpu,
        seed=options.seed or plan.seed,
        clock="virtual" if plan.virtual_clock else "wall",
    )


async def _own_address(board: Board) -> str:
    info = await board.net.ifinfo()
    ip = None if info is None else info.get("ip")
    if info is None or ip in (None, "0.0.0.0"):
        raise BridgeError(
            "The board has joined no network, so that nothing can be sent from it",
            port=board.url,
            remedy="Give it a Wi-Fi that this computer is in, too.",
        )
    if str(ip).startswith("127."):
        # A virtual board on loopback reaches its own network only, where this computer is the gateway.
        return str(info["gateway"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((ip, 9))  # sends nothing; asks the system which of its addresses leads there
        return str(probe.getsockname()[0])


async def _drop(stream: PeerStream) -> None:
    while await stream.read(65536):
        pass
