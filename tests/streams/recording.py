"""Protocols that note what happens to them, in the order in which it does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class Recording(asyncio.Protocol):
    """Notes everything.

    Attributes:
        calls: names of what was called, "data" once for what came in a row.
        data: what was received.
        lost: what `connection_lost` was given, once it was.
        made_in: called in `connection_made`, with the transport.
    """

    def __init__(self, made_in: Callable[[Any], None] | None = None) -> None:
        self.calls: list[str] = []
        self.data = bytearray()
        self.lost: list[BaseException | None] = []
        self.transport: Any = None
        self.made_in = made_in
        self.paused = False
        self._news = asyncio.Event()

    def note(self, call: str) -> None:
        """Something was called."""
        if self.calls[-1:] != [call] or call != "data":
            self.calls.append(call)
        self._news.set()

    async def until(self, done: Callable[[], object]) -> None:
        """Wait until it is so."""
        while not done():
            self._news.clear()
            await self._news.wait()

    async def received(self, count: int) -> bytes:
        """What was received, when it is so much."""
        await self.until(lambda: len(self.data) >= count)
        return bytes(self.data)

    async def ended(self) -> BaseException | None:
        """What `connection_lost` was given."""
        await self.until(lambda: self.lost)
        return self.lost[0]

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.note("made")
        if self.made_in is not None:
            self.made_in(transport)

    def data_received(self, data: bytes) -> None:
        assert data and isinstance(data, bytes)
        self.data += data
        self.note("data")

    def eof_received(self) -> bool | None:
        self.note("eof")
        return None

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost.append(exc)
        self.note("lost")

    def pause_writing(self) -> None:
        self.paused = True
        self.note("pause")

    def resume_writing(self) -> None:
        self.paused = False
        self.note("resume")


class Buffered(asyncio.BufferedProtocol):
    """As `Recording`, with a buffer of its own.

    Args:
        size: bytes of the buffer.
    """

    note, until, received, ended = Recording.note, Recording.until, Recording.received, Recording.ended
    connection_made, connection_lost = Recording.connection_made, Recording.connection_lost  # type: ignore[assignment]
    eof_received = Recording.eof_received  # type: ignore[assignment]

    def __init__(self, size: int = 100) -> None:
        Recording.__init__(self)  # type: ignore[arg-type]
        self.buffer = bytearray(size)

    def get_buffer(self, sizehint: int) -> memoryview:
        return memoryview(self.buffer)  # asyncio's TLS writes into slices of it

    def buffer_updated(self, nbytes: int) -> None:
        Recording.data_received(self, bytes(self.buffer[:nbytes]))  # type: ignore[arg-type]


class Failing(Recording):
    """Raises in one of its methods.

    Args:
        where: the method's name.
        error: what it raises.
    """

    def __init__(self, where: str, error: BaseException) -> None:
        super().__init__()
        before = getattr(self, where)

        def fail(*values: Any) -> Any:
            before(*values)
            raise error

        setattr(self, where, fail)


class Datagrams(asyncio.DatagramProtocol):
    """Notes datagrams and errors."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.datagrams: list[tuple[bytes, Any]] = []
        self.errors: list[Exception] = []
        self.lost: list[BaseException | None] = []
        self.paused = False
        self._news = asyncio.Event()

    note, until, ended = Recording.note, Recording.until, Recording.ended
    pause_writing, resume_writing = Recording.pause_writing, Recording.resume_writing  # type: ignore[assignment]
    connection_lost = Recording.connection_lost  # type: ignore[assignment]

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.note("made")

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.datagrams.append((data, addr))
        self.note("datagram")

    def error_received(self, exc: Exception) -> None:
        self.errors.append(exc)
        self.note("error")
