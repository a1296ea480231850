"""Connections from this computer, by the board, to its network: `-L` of ssh."""

from __future__ import annotations

import asyncio
import socket

from bridge.board import Board
from bridge.errors import BridgeError
from bridge.forward.running import Running, Told, not_here
from bridge.forward.specification import Forward
from bridge.streams.relay import PIECE, Stream, keep_little, reset


class HereTcp(Running):
    """Listens on this computer. Takes what `Running` takes.

    Args:
        slot_timeout: seconds that a client waits while all connections of the board are in use.
    """

    def __init__(self, board: Board, forward: Forward, told: Told, *, slot_timeout: float) -> None:
        super().__init__(board, forward, told)
        self._slot_timeout = slot_timeout
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            keep_little(writer)
            self.spawn(self._serve((reader, writer)))

        try:
            family, address = await resolved(self.address, socket.SOCK_STREAM)
            # A reader that keeps little: what is read is on its way to a line of some kilobytes a second.
            self._server = await asyncio.start_server(connected, *address, family=family, limit=PIECE)
        except OSError as error:
            raise not_here(error, self.address, "TCP") from error
        self.address = self._server.sockets[0].getsockname()[:2]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        await super().close()
        if self._server is not None:
            await self._server.wait_closed()

    async def _serve(self, client: Stream) -> None:
        try:
            board = await self._connected(client[1])
        except (BridgeError, OSError) as error:
            self.told(f"{self.line}: {error}")
            reset(client[1])
            return
        except BaseException:
            client[1].transport.abort()
            raise
        if board is not None:
            await self.carry(client, board)

    async def _connected(self, client: asyncio.StreamWriter) -> Stream | None:
        """A connection of the board, or None when the client has broken off before its turn came."""
        forward = self.forward
        lost = asyncio.ensure_future(client.wait_closed())  # never cancelled: it is the end of the client's stream
        connecting = asyncio.ensure_future(
            self.board.open_connection(
                forward.host, forward.host_port, limit=PIECE // 2, slot_timeout=self._slot_timeout
            )
        )
        try:
            await asyncio.wait([lost, connecting], return_when=asyncio.FIRST_COMPLETED)
            if connecting.done():
                return connecting.result()
            return None
        finally:
            if lost.done():
                lost.exception()
            else:
                lost.add_done_callback(asyncio.Future.exception)
            if not connecting.done():
                connecting.cancel()
                await asyncio.gather(connecting, return_exceptions=True)


async def resolved(address: tuple[str, int], kind: socket.SocketKind) -> tuple[socket.AddressFamily, tuple[str, int]]:
    """Family and address to listen on; the first of several that a name has, and of localhost the IPv4 one.

    Raises:
        OSError: nobody knows the name.
    """
    host = "127.0.0.1" if address[0] == "localhost" else address[0]
    family, _, _, _, found = (await asyncio.get_running_loop().getaddrinfo(host, address[1], type=kind))[0]
    return family, (str(found[0]), int(found[1]))
