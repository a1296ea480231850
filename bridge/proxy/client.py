"""A client of the proxy: its connection, and whether it is still there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from bridge.streams.relay import reset

T = TypeVar("T")

#: Bytes of a client that are kept before it is slowed down; also the longest head of a request.
LIMIT = 16_384


class ClientGone(Exception):
    """The client has closed its connection before it got its answer."""


class Client:
    """A client that has connected.

    Args:
        reader, writer: its connection.
        gone: set when nothing more comes from it.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gone: asyncio.Event) -> None:
        self.reader, self.writer, self.gone = reader, writer, gone
        name = writer.get_extra_info("peername")
        #: Address and port it comes from.
        self.address: tuple[str, int] = (str(name[0]), int(name[1])) if name else ("nowhere", 0)

    @property
    def name(self) -> str:
        """Address and port, for messages."""
        return f"{self.address[0]}:{self.address[1]}"

    @property
    def stream(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Its connection as a stream."""
        return self.reader, self.writer

    def reset(self) -> None:
        """End the connection so that the client is told of a failure, not of an end."""
        reset(self.writer)

    async def while_there(self, work: Coroutine[Any, Any, T], undo: Callable[[T], None] | None = None) -> T:
        """Do something for the client as long as it is there.

        A client that has closed its sending side counts as gone: nobody does so who still waits for an answer to a
        request for a connection, and a program that was ended looks the same.

        Args:
            work: what is done; it is cancelled when the client goes.
            undo: called with its result if nobody is there any more to take it.

        Raises:
            ClientGone: the client has gone.
        """
        taken = False

        def over(task: asyncio.Task[T]) -> None:
            if not taken and not task.cancelled() and task.exception() is None and undo is not None:
                undo(task.result())

        doing = asyncio.ensure_future(work)
        leaving = asyncio.ensure_future(self.gone.wait())
        try:
            await asyncio.wait([doing, leaving], return_when=asyncio.FIRST_COMPLETED)
            if not self.gone.is_set():
                taken = True
                return doing.result()
            raise ClientGone
        finally:
            leaving.cancel()
            if not taken:
                doing.add_done_callback(over)
                doing.cancel()
            await asyncio.gather(doing, leaving, return_exceptions=True)

    async def say(self, data: bytes) -> None:
        """Send bytes.

        Raises:
            OSError: the connection broke.
        """
        if data:
            self.writer.write(data)
            await self.writer.drain()

    async def part(self, data: bytes, seconds: float) -> None:
        """Say the last word, and let the client read it before the connection is closed.

        What still comes is thrown away: closing with bytes unread would be a reset, which takes the word with it.

        Args:
            data: the last word.
            seconds: that the client has.
        """
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(seconds):
                await self.say(data)
                if self.writer.can_write_eof():
                    self.writer.write_eof()
                while await self.reader.read(LIMIT):
                    pass
        self.writer.transport.abort()
