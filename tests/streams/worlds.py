"""Where the contract of streams is tried: asyncio's own sockets, and a board's, with the same names."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from bridge.board import Board
from bridge.opening import open_board
from bridge.streams.slots import MOST
from bridge.virtual.board import VirtualBoard
from bridge.virtual.clock import VirtualClockLoop, is_virtual
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from tests.hil.peers import udp_socket
from tests.same_epoch import start
from tests.streams.far import (
    Far,
    FarDatagrams,
    FarServer,
    LoopbackDatagrams,
    LoopbackFar,
    MemoryFar,
    MemoryPort,
    loopback_server,
    memory_server,
)

#: Seconds of the wall clock that one test may take, and of the virtual clock.
PATIENCE, VIRTUAL_PATIENCE = 30.0, 600.0
#: Bytes by which the board's heap may differ: Lua's tables grow and shrink between two collections.
HEAP_PLAY = 700


class World:
    """asyncio's own sockets on loopback.

    Attributes:
        name: for the tests' names.
        here: the address at which what is made here can be reached.
        host: the address of the far side.
        complaints: what the loop's exception handler was told.
    """

    name = "asyncio"
    here = host = "127.0.0.1"

    def __init__(self) -> None:
        self.complaints: list[dict[str, Any]] = []
        self.runner = self._make_runner()

    def _make_runner(self) -> asyncio.Runner:
        return asyncio.Runner()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Its event loop."""
        return self.runner.get_loop()

    def run(self, work: Coroutine[Any, Any, object]) -> None:
        """Run a test."""

        async def main() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda loop, context: self.complaints.append(context))
            async with asyncio.timeout(VIRTUAL_PATIENCE if is_virtual(self.loop) else PATIENCE):
                await work

        self.runner.run(main())

    def close(self) -> None:
        """End it."""
        self.runner.close()

    # What the contract is about.

    async def create_connection(self, factory: Callable[[], Any], host: str, port: Any, **more: Any) -> Any:
        """(transport, protocol) of a connection to the far side."""
        return await self.loop.create_connection(factory, host, port, **more)

    async def open_connection(self, host: str, port: Any, **more: Any) -> Any:
        """(reader, writer) of a connection to the far side."""
        return await asyncio.open_connection(host, port, **more)

    async def create_server(self, factory: Callable[[], Any], port: int = 0, **more: Any) -> Any:
        """A server."""
        return await self.loop.create_server(factory, self.here, port, **more)

    async def start_server(self, callback: Callable[..., Any], port: int = 0, **more: Any) -> Any:
        """A server of streams."""
        return await asyncio.start_server(callback, self.here, port, **more)

    async def create_datagram_endpoint(self, factory: Callable[[], Any], **more: Any) -> Any:
        """(transport, protocol) of a UDP port."""
        return await self.loop.create_datagram_endpoint(factory, **more)

    # The far side.

    def far_server(self) -> AbstractAsyncContextManager[FarServer]:
        """A server at the far side."""
        return loopback_server(self.host)

    @asynccontextmanager
    async def dial(self, server: Any) -> AsyncIterator[Far]:
        """A client at the far side of a server that was made here, or of its port."""
        port = server if isinstance(server, int) else server.sockets[0].getsockname()[1]
        far = LoopbackFar(*await asyncio.open_connection(self.here, port))
        try:
            yield far
        finally:
            await far.gone()

    @asynccontextmanager
    async def far_datagrams(self) -> AsyncIterator[FarDatagrams]:
        """A UDP port at the far side."""
        async with udp_socket(self.host) as datagrams:
            yield LoopbackDatagrams(datagrams, self.host)

    @asynccontextmanager
    async def connected(self, factory: Callable[[], Any], **more: Any) -> AsyncIterator[tuple[Any, Any, Far]]:
        """(transport, protocol, far end) of a connection that stands."""
        async with self.far_server() as server:
            transport, protocol = await self.create_connection(factory, *server.address, **more)
            try:
                yield transport, protocol, await server.accept()
            finally:
                if not transport.is_closing():  # asyncio's own may be aborted once only
                    transport.abort()

    @asynccontextmanager
    async def stream(self, **more: Any) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter, Far]]:
        """(reader, writer, far end) of a connection that stands."""
        async with self.far_server() as server:
            reader, writer = await self.open_connection(*server.address, **more)
            try:
                yield reader, writer, await server.accept()
            finally:
                if not writer.is_closing():
                    writer.transport.abort()
                # asyncio's protocol takes note of how a connection ended as it is collected, which may be too late if
                # the error's traceback refers to it: the collector then goes through both in any order.
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(5):
                        await writer.wait_closed()

    # What must be as it was.

    def count(self) -> dict[str, Any]:
        """What exists, for `leaks`."""
        return {
            "tasks": set(asyncio.all_tasks(self.loop)),
            "threads": {each for each in threading.enumerate() if not each.name.startswith("asyncio_")},  # its executor
            "descriptors": set(os.listdir("/proc/self/fd")),
        }

    def leaks(self, before: dict[str, Any]) -> list[str]:
        """What exists that did not, a word each; waits a moment for it to go."""
        deadline = time.monotonic() + 5
        while found := self._differences(before):
            if time.monotonic() > deadline:
                return found
            self.runner.run(asyncio.sleep(0.01))
        return []

    def _differences(self, before: dict[str, Any]) -> list[str]:
        gc.collect()
        self.runner.run(asyncio.sleep(0))
        now = self.count()
        return [f"{what}: {list(now[what] - before[what])}" for what in before if now[what] - before[what]]


class BoardWorld(World):
    """A virtual board on the virtual clock, its network in memory."""

    name = "board"
    options: dict[str, Any] = {"clock": "virtual", "cpu": 0, "baud_pacing": 0}

    def __init__(self) -> None:
        super().__init__()
        self._stack = contextlib.AsyncExitStack()
        self.told: list[object] = []
        self.runner.run(self._open())

    def _make_runner(self) -> asyncio.Runner:
        return asyncio.Runner(loop_factory=VirtualClockLoop)

    async def _open(self) -> None:
        self.virtual = await self._stack.enter_async_context(VirtualBoard(VirtualOptions(**self.options)))
        await self.virtual.answered()
        port = VirtualPort(self.virtual)
        self._stack.push_async_callback(port.close)
        self.board: Board = await self._stack.enter_async_context(open_board(port, start=start))
        self.board.on("error", lambda *values: self.told.append(values))
        self.board.on("fault", self.told.append)
        info = await self.board.net.ifinfo()
        assert info is not None
        self.here, self.host = info["ip"], info["gateway"]

    @property
    def network(self) -> MemoryNetwork:
        """The network in memory."""
        assert isinstance(self.virtual.network, MemoryNetwork)
        return self.virtual.network

    def run(self, work: Coroutine[Any, Any, object]) -> None:
        if isinstance(self.loop, VirtualClockLoop):
            self.loop.limit(self.loop.time() + 2 * VIRTUAL_PATIENCE)
        super().run(work)

    def close(self) -> None:
        self.runner.run(self._stack.aclose())
        super().close()

    async def create_connection(self, factory: Callable[[], Any], host: str, port: Any, **more: Any) -> Any:
        return await self.board.create_connection(factory, host, port, **more)

    async def open_connection(self, host: str, port: Any, **more: Any) -> Any:
        return await self.board.open_connection(host, port, **more)

    async def create_server(self, factory: Callable[[], Any], port: int = 0, **more: Any) -> Any:
        return await self.board.create_server(factory, port, **more)

    async def start_server(self, callback: Callable[..., Any], port: int = 0, **more: Any) -> Any:
        return await self.board.start_server(callback, port, **more)

    async def create_datagram_endpoint(self, factory: Callable[[], Any], **more: Any) -> Any:
        return await self.board.create_datagram_endpoint(factory, **more)

    def far_server(self) -> AbstractAsyncContextManager[FarServer]:
        return memory_server(self.network, self.host)

    @asynccontextmanager
    async def dial(self, server: Any) -> AsyncIterator[Far]:
        port = server if isinstance(server, int) else server.sockets[0].getsockname()[1]
        stream = await self.network.open_connection(self.here, port)
        try:
            yield MemoryFar(stream)
        finally:
            stream.close()

    @asynccontextmanager
    async def far_datagrams(self) -> AsyncIterator[FarDatagrams]:
        yield MemoryPort(self.network, self.host)

    async def warm_up(self) -> None:
        """Use everything some times, so that what the agent loads is loaded, and its tables have grown."""
        # Each question to the DNS servers that is open beside others makes a callback that is kept for the next ones.
        await asyncio.gather(*(self.board.net.dns.resolve(f"nobody{number}.test") for number in range(4)))
        for _ in range(12):
            async with self.stream() as (_, writer, far):
                writer.write(bytes(3_000))
                far.write(bytes(3_000))
                await far.read_exactly(3_000)
            server = await self.start_server(lambda reader, writer: writer.close())
            async with self.dial(server) as far:
                await far.read()
            server.close()
            await server.wait_closed()
            transport, _ = await self.create_datagram_endpoint(asyncio.DatagramProtocol)
            transport.close()
        # As many clients at once as a test has: the agent's tables keep the room that they once had.
        async with await self.start_server(lambda reader, writer: writer.close()) as server:
            await asyncio.gather(*(self._greeted(server) for _ in range(3 * MOST)))
        self.heap = await self.free()

    async def _greeted(self, server: Any) -> None:
        async with self.dial(server) as far:
            await far.read()

    async def free(self) -> int:
        """Bytes of the board's heap that are free when everything that ended has left it."""
        gc.collect()
        await asyncio.sleep(30)  # what the stack keeps of the last connections
        return int(await self.board.eval("(function() collectgarbage() collectgarbage() return node.heap() end)()"))

    def leaks(self, before: dict[str, Any]) -> list[str]:
        found = super().leaks(before)
        if self.told:
            found.append(f"told: {self.told}")
        if self.loop.time() > 0 and isinstance(self.loop, VirtualClockLoop):
            free = self.runner.run(self.free())
            if free < self.heap - HEAP_PLAY:
                found.append(f"heap: {self.heap - free} bytes less")
        return found

    def count(self) -> dict[str, Any]:
        table = self.board._table
        assert table is not None
        return super().count() | {"handles": set(table._live), "slots": set(range(self.board._slots.taken))}


class LoopbackWorld(BoardWorld):
    """A virtual board on the wall clock, with this computer's sockets."""

    name = "board-on-loopback"
    options = {"clock": "wall", "cpu": 0, "baud_pacing": 0}
    far_server, dial, far_datagrams = World.far_server, World.dial, World.far_datagrams  # type: ignore[assignment]

    def _make_runner(self) -> asyncio.Runner:
        return asyncio.Runner()

    def count(self) -> dict[str, Any]:
        # The descriptors are the virtual board's, whose stack keeps what it has closed for some seconds.
        return {what: which for what, which in super().count().items() if what != "descriptors"}

    async def warm_up(self) -> None:
        self.heap = 0


assert MOST == 5
