"""Serves a port that an exporter serves to the holder of a lease alone, and to nobody when the lease is over.

An exporter that serves a device of its own ends that service when the place is given back, so that nothing of the old
holder arrives after. One that only names a port which something else serves (`NetworkSerialPort`) cannot. So the
holder's bytes go through this process, which throws away what has not left.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Iterator

from bridge.rack.loopback_user import is_of_this_user

_PIECE = 65536
#: `SO_LINGER` of 0 s: closing throws away what the system has not sent yet.
_AT_ONCE = struct.pack("ii", 1, 0)
#: Seconds for the exporter's port to take a connection, and for a client to come in after the one before.
CONNECT_S, NEXT_S = 5.0, 5.0


class Relay:
    """One port, served on 127.0.0.1 to one client of this user at a time, each with a connection of its own to it.

    Args:
        host, tcp_port: where the exporter has it.
        is_good: asked before each piece that the holder wrote: a process that was stopped may have lost the place.

    Attributes:
        tcp_port: where the holder finds it.
    """

    def __init__(self, host: str, tcp_port: int, is_good: Callable[[], bool]) -> None:
        self._where = host, tcp_port
        self._is_good = is_good
        self._one_at_a_time = asyncio.Lock()
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()
        self._open: set[asyncio.StreamWriter] = set()
        self.tcp_port = 0

    async def start(self) -> None:
        """Begin to serve."""
        self._server = await asyncio.start_server(self._client, "127.0.0.1", 0)
        self.tcp_port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """From now on nothing that the holder wrote leaves."""
        if self._server is not None:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()
        for task in self._clients:
            task.cancel()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            with _kept(self._open, writer):
                if is_of_this_user(writer.get_extra_info("peername"), writer.get_extra_info("sockname")):
                    async with asyncio.timeout(NEXT_S):
                        await self._one_at_a_time.acquire()
                    try:
                        await self._serve(reader, writer)
                    finally:
                        self._one_at_a_time.release()
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass  # the client sees its connection end
        finally:
            self._clients.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(CONNECT_S):
            from_port, to_port = await asyncio.open_connection(*self._where)
        with _kept(self._open, to_port):
            to_port.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            up = asyncio.ensure_future(_copy(reader, to_port, self._is_good))
            down = asyncio.ensure_future(_copy(from_port, writer))
            try:
                # The end of either side is the end of both; the port has read all before it hangs up.
                done, _ = await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
                if up in done and to_port.can_write_eof():
                    to_port.write_eof()
                    await asyncio.wait((down,), timeout=1.0)
            finally:
                up.cancel()
                down.cancel()


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_good: Callable[[], bool] = lambda: True
) -> None:
    with contextlib.suppress(OSError):
        while (data := await reader.read(_PIECE)) and is_good():
            writer.write(data)
            await writer.drain()


@contextlib.contextmanager
def _kept(among: set[asyncio.StreamWriter], writer: asyncio.StreamWriter) -> Iterator[None]:
    among.add(writer)
    try:
        yield
    finally:
        among.discard(writer)
        writer.close()
