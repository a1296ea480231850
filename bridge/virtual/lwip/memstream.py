"""The far end of a board's connection in an in-memory network: a stream for tests and simulated servers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bridge.virtual.lwip.address import dotted
from bridge.virtual.lwip.peer import Peer, PeerState
from bridge.virtual.lwip.segment import Segment

#: Bytes a stream keeps for its reader before it closes its window, as a Linux socket with default buffers would.
RECEIVE_BUFFER = 65_535
#: `drain` waits while more than this many bytes are on their way.
SEND_BUFFER = 65_536


class MemoryStream:
    """One end of a connection; the methods are those of asyncio's streams.

    Args:
        loop: for timers.
        transmit: takes segments to the board.
        local, remote: (address, port) of this end and of the board's.
        on_closed: called when the connection is over.
        receive_buffer: bytes kept for the reader.
        nodelay: False lets Nagle's algorithm join small writes.
        ack_delay: see `Peer`.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transmit: Callable[[Segment], None],
        local: tuple[int, int],
        remote: tuple[int, int],
        on_closed: Callable[[MemoryStream], None],
        *,
        receive_buffer: int = RECEIVE_BUFFER,
        nodelay: bool = True,
        ack_delay: float = 0.0,
    ) -> None:
        self._received = bytearray()
        self._receive_buffer = receive_buffer
        self._eof = False
        self._error: ConnectionError | None = None
        self._changed = asyncio.Event()
        self._on_closed = on_closed
        self._over = False
        self.opened: asyncio.Future[None] = loop.create_future()
        self.peer = Peer(loop, transmit, self, local, remote, coalesce=True, nagle=not nodelay, ack_delay=ack_delay)

    @property
    def local(self) -> tuple[str, int]:
        """(address, port) of this end."""
        return dotted(self.peer.local[0]), self.peer.local[1]

    @property
    def remote(self) -> tuple[str, int]:
        """(address, port) of the board's end."""
        return dotted(self.peer.remote[0]), self.peer.remote[1]

    async def read(self, limit: int = -1) -> bytes:
        """Up to `limit` bytes as soon as there are any, b"" at the end; -1 reads to the end.

        Raises:
            ConnectionResetError: the board reset the connection.
        """
        if limit < 0:
            parts = []
            while part := await self.read(65_536):
                parts.append(part)
            return b"".join(parts)
        while not self._received and not self._eof and self._error is None:
            await self._wait()
        if self._received:
            data = bytes(self._received[:limit])
            del self._received[:limit]
            self.peer.window_opened()
            return data
        if self._error is not None:
            raise self._error
        return b""

    async def read_exactly(self, count: int) -> bytes:
        """Exactly so many bytes.

        Raises:
            asyncio.IncompleteReadError: the stream ended before.
            ConnectionResetError: the board reset the connection.
        """
        data = b""
        while len(data) < count:
            part = await self.read(count - len(data))
            if not part:
                raise asyncio.IncompleteReadError(data, count)
            data += part
        return data

    async def read_until(self, mark: bytes) -> bytes:
        """Bytes up to and with the mark.

        Raises:
            asyncio.IncompleteReadError: the stream ended before.
            ConnectionResetError: the board reset the connection.
        """
        while mark not in self._received:
            if self._error is not None:
                raise self._error
            if self._eof:
                raise asyncio.IncompleteReadError(bytes(self._received), None)
            await self._wait()
        return await self.read(self._received.index(mark) + len(mark))

    def write(self, data: bytes) -> None:
        """Queue bytes for the board.

        Raises:
            ConnectionResetError: the connection is over.
        """
        if self._error is not None:
            raise self._error
        self.peer.send(data)

    async def drain(self) -> None:
        """Wait until the board has taken so much that more can be written.

        Raises:
            ConnectionResetError: the board reset the connection.
        """
        while self.peer.queued > SEND_BUFFER and self._error is None:
            await self._wait()
        if self._error is not None:
            raise self._error

    def write_eof(self) -> None:
        """Send a FIN after everything written; reading goes on."""
        self.peer.finish()

    def close(self) -> None:
        """Send a FIN; like a closed socket, a reset if the board sent what nobody read."""
        if self._received:
            self.abort()
        else:
            self.peer.finish()

    def abort(self) -> None:
        """Send a reset."""
        self.peer.abort()
        self._end(ConnectionResetError("the connection was aborted here"))

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    # --- Owner of the peer ---

    def window(self) -> int:
        return max(0, self._receive_buffer - len(self._received))

    def established(self) -> None:
        if not self.opened.done():
            self.opened.set_result(None)

    def data(self, data: bytes) -> None:
        self._received += data
        self._changed.set()

    def fin(self) -> None:
        self._eof = True
        self._changed.set()

    def reset(self) -> None:
        self._end(ConnectionResetError("the board reset the connection"))

    def room(self) -> None:
        self._changed.set()

    def closed(self) -> None:
        self._end(None)

    def vanish(self) -> None:
        """The board lost power: nothing more comes, and nothing says so."""
        if self.peer.state is not PeerState.CLOSED:
            self.peer.vanish()

    def _end(self, error: ConnectionError | None) -> None:
        self._eof = True
        if error is not None:
            self._error = error
            if not self.opened.done():
                self.opened.set_exception(ConnectionRefusedError("the board refused the connection"))
        self._changed.set()
        if not self._over:
            self._over = True
            self._on_closed(self)
