"""TLS connections beside plain ones, and their end in the middle of a handshake."""

from __future__ import annotations

import asyncio
import socket as sockets
import struct

import pytest

from tests.hil.conftest import Board
from tests.hil.peers import PATIENCE, echo, tcp_server, tls_server
from tests.hil.test_tls_socket import client
from tests.virtual.modules.tls_bench import issue, server_context

#: A handshake takes 18 KB of heap, and the rooms for it 5 KB.
pytestmark = [pytest.mark.needs("tls"), pytest.mark.needs_heap(30_000)]


async def test_beside_a_plain_socket_that_moves_data(board: Board, host: str) -> None:
    async def feed(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in range(40):
            writer.write(bytes([number]) * 1_000)
            await writer.drain()

    secure = tls_server(host, server_context(issue("server")), echo)
    async with asyncio.timeout(5 * PATIENCE), secure as port, tcp_server(host, feed) as plain_port:
        plain = await board.net.createConnection()
        data, ended = bytearray(), asyncio.Event()
        begun = asyncio.Event()
        plain.on("receive", lambda _, piece: (data.extend(piece), begun.set()))
        plain.on("disconnection", lambda *_: ended.set())
        await plain.connect(plain_port, host)
        await begun.wait()
        socket, events = await client(board, "connection", "reconnection", "receive", "disconnection")
        await socket.connect(port, host)
        assert await events.get() == ("connection",)
        await socket.send(b"beside")
        assert await events.get() == ("receive", b"beside")
        # Beside an open TLS connection a board may have no room for a window: then the plain one goes on behind it.
        await socket.close()
        assert await events.get() == ("disconnection",)
        await ended.wait()
        assert bytes(data) == b"".join(bytes([number]) * 1_000 for number in range(40))
        for each in (plain, socket):
            await each.release()


async def test_a_server_that_resets_in_the_handshake(board: Board, host: str) -> None:
    async def slam(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        own = writer.get_extra_info("socket")
        own.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with asyncio.timeout(PATIENCE), tcp_server(host, slam) as port:
        socket, events = await client(board, "connection", "reconnection", "disconnection")
        await socket.connect(port, host)
        assert await events.get() == ("reconnection", "Connection reset")
        await socket.release()
