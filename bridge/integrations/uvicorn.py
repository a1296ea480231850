"""uvicorn over a board: serves an ASGI application's requests that arrive there.

await Server(uvicorn.Config(application), board, 80).serve()
"""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

import uvicorn

from bridge.streams import BoardServer, Streams

#: uvicorn's own: it says there what happens to a server.
_log = logging.getLogger("uvicorn.error")
#: What uvicorn ends a program with when the application does not begin.
_STARTUP_FAILURE = 3


class _Listening:
    """What uvicorn closes and waits for at the end: the listener, and not its clients. For those it waits by itself, as
    long as it wants to: who presses Ctrl-C twice does not want to.
    """

    def __init__(self, listener: BoardServer) -> None:
        self._listener = listener

    def close(self) -> None:
        self._listener.close()

    async def wait_closed(self) -> None:
        await self._listener.stopped()


class Server(uvicorn.Server):
    """A uvicorn server that listens on a board. `serve` runs it, `should_exit = True` and signals end it as ever.

    Args:
        config: of uvicorn; its `host`, `port` and what else is of sockets has no meaning here. Its `ssl_…` encrypt on
            the host.
        board: an open `bridge.Board`.
        port: TCP port of the board; 0 lets it choose, and `listener` tells.
        host: address of the board to listen on; None is all.
    """

    def __init__(self, config: uvicorn.Config, board: Streams, port: int = 80, host: str | None = None) -> None:
        super().__init__(config)
        self._board, self._where = board, (port, host)
        #: The board's listener once `started` is True.
        self.listener: BoardServer | None = None
        self._ended: asyncio.Future[None] | None = None
        self._cancelled: asyncio.CancelledError | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to end, or cancelled; requests that are being answered are waited for, as ever.

        Args:
            sockets: there are none on the board; leave it out.

        Raises:
            ConnectionReset: the board restarted, or went away.
            ListenRefused: the port is taken, or the address is not the board's.
        """
        outcome: object = None
        try:
            await super().serve(sockets)
        finally:
            if self.listener is not None and self._ended is not None:
                self.listener.close()
                self.listener.abort_clients()
                for task in self.server_state.tasks:  # of an application that was not waited for
                    task.cancel()
                (outcome,) = await asyncio.gather(self._ended, return_exceptions=True)
        if self._cancelled is not None:
            raise self._cancelled
        if isinstance(outcome, ConnectionError):
            raise outcome

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin the application and listen; uvicorn calls this."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            raise SystemExit(_STARTUP_FAILURE)
        config: Any = self.config

        def protocol() -> asyncio.BaseProtocol:
            made = config.http_protocol_class(
                config=config, server_state=self.server_state, app_state=self.lifespan.state
            )
            assert isinstance(made, asyncio.BaseProtocol)
            return made

        try:
            self.listener = await self._board.create_server(protocol, *self._where, ssl=config.ssl)
        except BaseException:
            await self.lifespan.shutdown()
            raise
        self._ended = asyncio.ensure_future(self.listener.serve_forever())
        self.servers = [_Listening(self.listener)]  # type: ignore[list-item]
        address, port = self.listener.sockets[0].getsockname()
        scheme = "https" if config.ssl else "http"
        _log.info("Uvicorn running on %s://%s:%d of the board (Press CTRL+C to quit)", scheme, address, port)
        self.started = True

    async def main_loop(self) -> None:
        """Wait for the end; uvicorn calls this, and would leave everything as it is if it were cancelled."""
        try:
            await super().main_loop()
        except asyncio.CancelledError as cancelled:
            self._cancelled = cancelled

    async def on_tick(self, counter: int) -> bool:
        """Whether to end, ten times a second; uvicorn calls this."""
        return await super().on_tick(counter) or self._ended is None or self._ended.done()
