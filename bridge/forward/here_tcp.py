"""Connections from this computer, by the board, to its network: `-L` of ssh."""

from __future__ import annotations

import asyncio
import socket

from bridge.board import Board
from bridge.errors import BridgeError
from bridge.forward.running import Running, Told, not_here
from bridge.forward.specification import Forward
from bridge.streams.connecting import CONNECT_TIMEOUT
from bridge.streams.local import Local
from bridge.streams.names import Names
from bridge.streams.relay import LOOK, PIECE, Stream, keep_little, reset
from bridge.streams.vanished import vanished

#: Clients of one forward at once, those that wait included.
MOST = 256


class HereTcp(Running):
    """Listens on this computer. Takes what `Running` takes.

    Args:
        names: what the board knows of them.
        slot_timeout: seconds that a client waits while all connections of the board are in use.
    """

    def __init__(self, board: Board, forward: Forward, told: Told, *, names: Names, slot_timeout: float) -> None:
        super().__init__(board, forward, told)
        self._names, self._slot_timeout = names, slot_timeout
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        try:
            family, address = await resolved(self.address, socket.SOCK_STREAM)
            # A reader that keeps little: what is read is on its way to a line of some kilobytes a second.
            self._server = await asyncio.get_running_loop().create_server(
                lambda: Local(self._met, PIECE), *address, family=family
            )
        except OSError as error:
            raise not_here(error, self.address, "TCP") from error
        self.address = self._server.sockets[0].getsockname()[:2]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        await super().close()
        if self._server is not None:
            await self._server.wait_closed()

    def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gone: asyncio.Event) -> None:
        if self.running >= MOST:
            self.tell_seldom("clients", f"{self.line}: a client was sent away: there are {MOST} already")
            reset(writer)
            return
        keep_little(writer)
        self.spawn(self._serve((reader, writer), gone))

    async def _serve(self, client: Stream, gone: asyncio.Event) -> None:
        try:
            board = await self._connected(client, gone)
        except (BridgeError, OSError) as error:
            self.told(f"{self.line}: {error}")
            reset(client[1])
            return
        except BaseException:
            client[1].transport.abort()
            raise
        if board is None:
            client[1].transport.abort()
        else:
            await self.carry(client, board)

    async def _connected(self, client: Stream, gone: asyncio.Event) -> Stream | None:
        """A connection of the board, or None when the client has broken off before its turn came."""
        left = asyncio.ensure_future(_left(client, gone))
        connecting = asyncio.ensure_future(self._connect())
        try:
            await asyncio.wait([left, connecting], return_when=asyncio.FIRST_COMPLETED)
            return connecting.result() if connecting.done() else None
        finally:
            for task in (left, connecting):
                task.cancel()
            await asyncio.gather(left, connecting, return_exceptions=True)

    async def _connect(self) -> Stream:
        forward = self.forward
        # A name that nobody knows takes its time, and is not to take a place from others meanwhile.
        address = await self._names.address(forward.host, CONNECT_TIMEOUT)
        return await self.board.open_connection(
            address, forward.host_port, limit=PIECE // 2, slot_timeout=self._slot_timeout
        )


async def _left(client: Stream, gone: asyncio.Event) -> None:
    """Wait until a client has broken off, or has closed and owes the peer nothing: what it sent is to arrive."""
    reader, writer = client
    await gone.wait()
    while not (writer.transport.is_closing() or (reader.at_eof() and vanished(writer))):  # noqa: ASYNC110
        await asyncio.sleep(LOOK)


async def resolved(address: tuple[str, int], kind: socket.SocketKind) -> tuple[socket.AddressFamily, tuple[str, int]]:
    """Family and address to listen on; the first of several that a name has, and of localhost the IPv4 one.

    Raises:
        OSError: nobody knows the name.
    """
    host = "127.0.0.1" if address[0] == "localhost" else address[0]
    family, _, _, _, found = (await asyncio.get_running_loop().getaddrinfo(host, address[1], type=kind))[0]
    return family, (str(found[0]), int(found[1]))
