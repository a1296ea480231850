"""httpcore over a board: the network backend that its connection pools take, and a pool that is made with it.

async with BoardPool(board) as pool:
    response = await pool.request("GET", "http://example.com/")
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterable, Iterator
from typing import Any

import httpcore

from bridge.errors import BridgeError, UsageError
from bridge.integrations.closing import close
from bridge.integrations.encryption import KEPT_IDLE, Encryption, most_connections
from bridge.streams import Streams


@contextlib.contextmanager
def _as_httpcore(timed_out: type[Exception], failed: type[Exception]) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise timed_out(str(error)) from error
    except (OSError, BridgeError) as error:
        raise failed(str(error)) from error


class _Reader(asyncio.StreamReader):
    """Also tells whether something has come that nobody has read: asyncio's has no public way to ask that."""

    def __init__(self) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self._unread = 0

    @property
    def unread(self) -> int:
        """Bytes."""
        return self._unread

    def feed_data(self, data: Any) -> None:
        self._unread += len(data)
        super().feed_data(data)

    async def read(self, n: int = -1) -> bytes:
        data = await super().read(n)
        self._unread -= len(data)
        return data


class BoardStream(httpcore.AsyncNetworkStream):
    """A connection of the board; made by `BoardBackend`.

    Args:
        reader, writer: of the connection.
        by_board: the board encrypts it, so that there is nothing to start.
    """

    def __init__(self, reader: _Reader, writer: asyncio.StreamWriter, *, by_board: bool = False) -> None:
        self._reader, self._writer, self._by_board = reader, writer, by_board
        #: A call failed, timed out or was cancelled: nobody waits for the rest.
        self._broken = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Up to so many bytes; b"" at the end. Timeouts are in seconds.

        Raises:
            httpcore.ReadTimeout, httpcore.ReadError: as their names say.
        """
        with self._watched(httpcore.ReadTimeout, httpcore.ReadError):
            async with asyncio.timeout(timeout):
                return await self._reader.read(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write; returns when few enough bytes wait for the board.

        Raises:
            httpcore.WriteTimeout, httpcore.WriteError: as their names say.
        """
        with self._watched(httpcore.WriteTimeout, httpcore.WriteError):
            async with asyncio.timeout(timeout):
                self._writer.write(buffer)
                await self._writer.drain()

    async def aclose(self) -> None:
        """Close: at once if a call failed, else when what was written has left."""
        if self._broken:
            self._writer.transport.abort()
        else:
            await close(self._writer)

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Shake hands, on the host; does nothing if the board did.

        Raises:
            httpcore.ConnectTimeout, httpcore.ConnectError: the handshake failed; the connection is closed.
        """
        if self._by_board:
            return self
        try:
            with self._watched(httpcore.ConnectTimeout, httpcore.ConnectError):
                async with asyncio.timeout(timeout):
                    await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        except BaseException:
            await self.aclose()
            raise
        return self

    def get_extra_info(self, info: str) -> Any:
        """What httpcore's own streams tell, but for "socket": there is none."""
        match info:
            case "client_addr":
                return self._writer.get_extra_info("sockname")
            case "server_addr":
                return self._writer.get_extra_info("peername")
            # Asked of an idle connection, which is of no use any more if it is: its end has come, or an answer to
            # nothing, which the next request would take for its own.
            case "is_readable":
                return self._writer.is_closing() or self._reader.at_eof() or self._reader.unread > 0
            case _:
                return self._writer.get_extra_info(info)

    @contextlib.contextmanager
    def _watched(self, timed_out: type[Exception], failed: type[Exception]) -> Iterator[None]:
        try:
            with _as_httpcore(timed_out, failed):
                yield
        except BaseException:
            self._broken = True
            raise


class BoardBackend(httpcore.AsyncNetworkBackend):
    """Connects for httpcore; the board resolves names.

    Args:
        board: an open `bridge.Board`.
        tls: "board" lets the board's module `tls` encrypt every connection of this backend.
    """

    def __init__(self, board: Streams, *, tls: Encryption = "host") -> None:
        most_connections(tls)  # raises for what is neither
        self._board, self._by_board = board, tls == "board"

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect, within seconds; address and options of the socket do not exist on the board and are not looked at.

        Raises:
            httpcore.ConnectTimeout, httpcore.ConnectError: there is no connection.
        """
        with _as_httpcore(httpcore.ConnectTimeout, httpcore.ConnectError):
            async with asyncio.timeout(timeout):
                reader = _Reader()
                protocol = asyncio.StreamReaderProtocol(reader)
                transport, _ = await self._board.create_connection(
                    lambda: protocol, host, port, ssl="board" if self._by_board else None
                )
        writer = asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop())
        return BoardStream(reader, writer, by_board=self._by_board)

    async def sleep(self, seconds: float) -> None:
        """Wait between two tries."""
        await asyncio.sleep(seconds)


class BoardPool(httpcore.AsyncConnectionPool):
    """A connection pool over a board: requests beyond its connections wait in its queue.

    Args:
        board: an open `bridge.Board`.
        tls: who encrypts `https`: "host" or "board".
        options: of `httpcore.AsyncConnectionPool`. `max_connections` is 5 unless given, what the stack serves; with
            `tls="board"` it is 1, what the board's heap holds. Idle connections are closed after `keepalive_expiry`,
            5 s unless given, also when no other request comes: who else uses the board may wait for them.

    Raises:
        UsageError: nobody is called `tls`, or the board is to encrypt what goes through a `proxy`: it encrypts only
            from the beginning of a connection.
    """

    def __init__(self, board: Streams, *, tls: Encryption = "host", **options: Any) -> None:
        if tls == "board" and options.get("proxy") is not None:
            raise UsageError(
                "The board cannot encrypt what goes through a proxy", remedy='Leave tls="board" out, or the proxy.'
            )
        options = {"max_connections": most_connections(tls), "keepalive_expiry": KEPT_IDLE, **options}
        super().__init__(network_backend=BoardBackend(board), **options)
        self._by_board: BoardBackend | None = BoardBackend(board, tls="board") if tls == "board" else None
        self._expiry: float | None = options["keepalive_expiry"]
        #: What connections are made with, by whatever backend.
        self._options = {name: options[name] for name in ("ssl_context", "retries") if name in options}
        self._timer: asyncio.TimerHandle | None = None
        self._tidying: set[asyncio.Task[None]] = set()

    def create_connection(self, origin: httpcore.Origin) -> httpcore.AsyncConnectionInterface:
        """Make a connection for an origin; httpcore calls this."""
        self._look_later()
        if self._by_board is None or origin.scheme not in (b"https", b"wss"):
            return super().create_connection(origin)
        return httpcore.AsyncHTTPConnection(
            origin=origin, keepalive_expiry=self._expiry, network_backend=self._by_board, **self._options
        )

    async def aclose(self) -> None:
        """Close the connections."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._tidying:
            await asyncio.wait(self._tidying)
        await super().aclose()

    def _look_later(self) -> None:
        if self._expiry is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(max(self._expiry, 0.1), self._look)

    def _look(self) -> None:
        self._timer = None
        standing = [each for each in self.connections if not each.is_closed()]
        idle = [each for each in standing if each.is_idle() and each.has_expired()]
        if idle:
            task = asyncio.ensure_future(self._close_all(idle))
            self._tidying.add(task)
            task.add_done_callback(self._tidying.discard)
        if len(standing) > len(idle):
            self._look_later()

    async def _close_all(self, connections: list[httpcore.AsyncConnectionInterface]) -> None:
        await asyncio.gather(*(each.aclose() for each in connections), return_exceptions=True)
