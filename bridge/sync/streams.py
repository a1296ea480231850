"""Connections of the board without `await`: what `board.open_connection` and `board.start_server` give."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import Callable, Coroutine, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

from bridge.errors import NetTimeout, UsageError
from bridge.portal import portal
from bridge.streams import BoardServer

T = TypeVar("T")
#: Bytes read at once of all to the end.
PIECE = 65_536
#: Called for each client, on the callback thread; the connection is closed when it returns.
ClientHandler = Callable[["Stream"], Any]


class Stream:
    """A connection of the board, much like a file: made by `Board.open_connection` and `Board.start_server`.

    As a context manager it is closed at the end, or aborted by an exception. Several threads may use it, one to read
    and one to write. Reading and writing take a `timeout` in seconds, None without end; who waits longer gets a
    `NetTimeout` (a `TimeoutError`), and may try again: nothing is lost.

    Raises:
        ConnectionReset, ConnectionAborted, NetTimeout: also `ConnectionResetError`, …: the connection is over.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        #: What was read of all to the end when that was given up: asyncio's `read(-1)` would lose it.
        self._kept = bytearray()
        # A writer that Python collects closes its transport, which must happen on the loop.
        self._finalizer = weakref.finalize(self, _let_go, writer)
        self._finalizer.atexit = False

    def __repr__(self) -> str:
        return f"<sync {repr(self._writer.transport)[1:]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()

    def __iter__(self) -> Iterator[bytes]:
        """The lines to the end."""
        while line := self.readline():
            yield line

    @property
    def peername(self) -> tuple[str, int]:
        """(address, port) of the peer."""
        return self._writer.get_extra_info("peername")  # type: ignore[no-any-return]

    @property
    def sockname(self) -> tuple[str, int] | None:
        """(address, port) of this end; None over the board's TLS."""
        return self._writer.get_extra_info("sockname")  # type: ignore[no-any-return]

    def read(self, size: int = -1, *, timeout: float | None = None) -> bytes:
        """What has come, at most `size` bytes and at least one; b"" at the end; -1 is all to the end."""
        return self._wait(lambda: self._read(size), timeout)

    def readline(self, *, timeout: float | None = None) -> bytes:
        """A line with its end, what is left at the end of the connection, or b"".

        Raises:
            ValueError: the line is longer than `limit`.
        """
        return self._wait(self._readline, timeout)

    def readexactly(self, size: int, *, timeout: float | None = None) -> bytes:
        """So many bytes.

        Raises:
            asyncio.IncompleteReadError: also an `EOFError`: the connection ended before.
        """
        return self._wait(lambda: self._readexactly(size), timeout)

    def write(self, data: bytes | bytearray | memoryview, *, timeout: float | None = None) -> int:
        """Write; returns the number of bytes, when few wait to leave. When it times out, they still leave."""

        async def run() -> int:
            self._writer.write(data)
            await self._writer.drain()
            return len(data)

        return self._wait(run, timeout)

    def close(self) -> None:
        """Close when everything that was written has left. Doing it again does nothing.

        Raises:
            NetTimeout: it did not leave within `close_timeout`.
        """

        async def run() -> None:
            self._writer.close()
            with contextlib.suppress(ConnectionError):  # it is over, which is what is wanted
                await self._writer.wait_closed()

        self._wait(run, None)

    def abort(self) -> None:
        """Close at once; what has not left is lost."""

        async def run() -> None:
            if not self._writer.is_closing():
                self._writer.transport.abort()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

        self._wait(run, None)

    async def _read(self, size: int) -> bytes:
        if size >= 0:
            return self._take(size) if self._kept else await self._reader.read(size)
        while data := await self._reader.read(PIECE):
            self._kept += data
        return self._take(len(self._kept))

    async def _readline(self) -> bytes:
        if end := self._kept.find(b"\n") + 1:
            return self._take(end)
        rest = await self._reader.readline()
        return self._take(len(self._kept)) + rest

    async def _readexactly(self, size: int) -> bytes:
        if 0 <= size <= len(self._kept):
            return self._take(size)
        try:
            rest = await self._reader.readexactly(size - len(self._kept) if size > 0 else size)
        except asyncio.IncompleteReadError as error:
            raise asyncio.IncompleteReadError(self._take(len(self._kept)) + error.partial, size) from None
        return self._take(len(self._kept)) + rest

    def _take(self, most: int) -> bytes:
        taken = bytes(self._kept[:most])
        del self._kept[:most]
        return taken

    def _wait(self, work: Callable[[], Coroutine[Any, Any, T]], timeout: float | None) -> T:
        async def run() -> T:
            limit = asyncio.timeout(timeout)
            try:
                async with limit:
                    return await work()
            except TimeoutError as error:
                if not limit.expired():
                    raise
                raise NetTimeout(f"Nothing happened with {self!r} within {timeout:g} s") from error

        return portal().call(run())


class Server:
    """A listener of the board: made by `Board.start_server`. Closes as a context manager, or by `close`."""

    def __init__(self, server: BoardServer) -> None:
        self._server = server

    def __repr__(self) -> str:
        return f"<sync {repr(self._server)[1:]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def address(self) -> tuple[str, int] | None:
        """(address, port) on the board, or None when it does not listen."""
        bound = self._server.sockets
        return bound[0].getsockname() if bound else None

    def close(self) -> None:
        """Stop listening. Connections that were accepted go on."""

        async def run() -> None:
            self._server.close()
            await self._server.stopped()

        portal().call(run())


def serving(
    handler: ClientHandler,
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]:
    """A handler of asyncio's kind that runs this one on the callback thread."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await portal().callback(handler, Stream(reader, writer))
        except BaseException:
            writer.transport.abort()
            raise
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    return serve


def _let_go(writer: asyncio.StreamWriter) -> None:
    # The loop is closed, and the board with it; or this process is a fork.
    with contextlib.suppress(RuntimeError, UsageError):
        portal().loop.call_soon_threadsafe(_close, writer)


def _close(writer: asyncio.StreamWriter) -> None:
    if not writer.is_closing():
        writer.close()
