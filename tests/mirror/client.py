"""A TCP socket of the board, for tests that ask what came of it."""

from __future__ import annotations

import asyncio

from bridge.mirror.tcp import TCPSocket


class Client:
    """A socket of the board with what happened to it."""

    def __init__(self, socket: TCPSocket) -> None:
        self.socket = socket
        self.data = bytearray()
        self.code: int | None = None
        self.connected = asyncio.Event()
        self.ended = asyncio.Event()
        self.news = asyncio.Event()
        socket.on("connection", lambda socket: self.connected.set())
        socket.on("receive", self._receive)
        socket.on("disconnection", self._end)

    def _receive(self, socket: TCPSocket, data: bytes) -> None:
        assert len(data) <= 1460
        self.data += data
        self.news.set()

    def _end(self, socket: TCPSocket, code: int) -> None:
        self.code = code
        self.connected.set()
        self.ended.set()

    async def received(self, count: int) -> bytes:
        while len(self.data) < count:
            self.news.clear()
            await self.news.wait()
        return bytes(self.data)
