"""Connections that programs of this computer make with us."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

#: Called with reader and writer when a connection stands, and with what is set when nothing more comes from there.
Met = Callable[[asyncio.StreamReader, asyncio.StreamWriter, asyncio.Event], None]


class Local(asyncio.StreamReaderProtocol):
    """The protocol of one connection: streams as usual, and besides an event that tells of its end at once, also while
    nobody reads.

    Args:
        met: see `Met`.
        limit: bytes that the reader keeps before the program is slowed down.
    """

    def __init__(self, met: Met, limit: int) -> None:
        reader = asyncio.StreamReader(limit=limit)
        self._gone = asyncio.Event()
        super().__init__(reader, lambda reader, writer: met(reader, writer, self._gone))

    def eof_received(self) -> bool | None:
        self._gone.set()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()
        super().connection_lost(exc)
