"""Connections from the board's network, by the board, to what this computer reaches: `-R` of ssh."""

from __future__ import annotations

import asyncio
import contextlib

from bridge.errors import BridgeError
from bridge.forward.running import Running, not_on_board, shown_address
from bridge.forward.specification import EVERYWHERE
from bridge.streams import BoardServer
from bridge.streams.relay import PIECE, Stream, keep_little

#: Seconds to connect from this computer.
CONNECT_TIMEOUT = 15.0


class BoardTcp(Running):
    """Listens on the board, again after each restart of it. Takes what `Running` takes."""

    _server: BoardServer | None = None

    async def open(self) -> None:
        await self._listen()
        self.spawn(self._keep())

    async def close(self) -> None:
        await super().close()
        if self._server is not None:
            self._server.abort_clients()
            self._server.close()
            with contextlib.suppress(OSError):
                await self._server.wait_closed()

    async def _listen(self) -> None:
        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.spawn(self._serve((reader, writer)))

        address, port = self.forward.address, self.address[1]
        try:
            self._server = await self.board.start_server(
                connected, port, None if address == EVERYWHERE else address, limit=PIECE // 2
            )
        except BridgeError as error:
            raise not_on_board(error, self.board, self.address, "TCP") from error
        self.address = await shown_address(self.board, *self._server.sockets[0].getsockname())

    async def _keep(self) -> None:
        while True:
            assert self._server is not None
            with contextlib.suppress(OSError):
                await self._server.serve_forever()
            if not await self.listen_again(self._listen):
                return

    async def _serve(self, client: Stream) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                service = await asyncio.open_connection(self.forward.host, self.forward.host_port, limit=PIECE)
        except OSError as error:
            why = f"no answer within {CONNECT_TIMEOUT:g} s" if isinstance(error, TimeoutError) else str(error)
            self.told(f"{self.line}: {why}")
            client[1].transport.abort()
            return
        except BaseException:
            client[1].transport.abort()
            raise
        keep_little(service[1])
        # The service's end is the end: who came to the board cannot be told of half of it.
        await self.carry(service, client, linger=0)
