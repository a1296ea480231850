"""TLS connections that the board opens to a peer on the host (OpenSSL, by way of Python's `ssl`)."""

from __future__ import annotations

import asyncio
import socket as sockets
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bridge.mirror.tls import TLSSocket
from tests.hil.conftest import Board
from tests.hil.peers import PATIENCE, Handler, echo, tcp_server
from tests.virtual.modules.tls_bench import Identity, issue, server_context

#: A handshake takes 18 KB of heap, and the rooms for it 5 KB.
pytestmark = pytest.mark.needs_heap(30_000)

AUTHORITY, STRANGER = issue("authority", ca=True), issue("stranger", ca=True)
SERVER = issue("server", issuer=AUTHORITY)


@asynccontextmanager
async def tls_server(host: str, handler: Handler, identity: Identity = SERVER, **options: Any) -> AsyncIterator[int]:
    """A TLS server on the host; gives its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except OSError:
            pass  # the board closes without a farewell
        finally:
            writer.close()

    server = await asyncio.start_server(serve, host, 0, ssl=server_context(identity, **options))
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


class Secured:
    """A TLS socket of the board with what happened to it."""

    def __init__(self, socket: TLSSocket) -> None:
        self.socket = socket
        self.data = bytearray()
        self.events: list[tuple[Any, ...]] = []
        self._news = asyncio.Event()
        for name in TLSSocket.EVENTS:
            socket.on(name, lambda socket, *values, name=name: self._note(name, *values))

    def _note(self, name: str, *values: Any) -> None:
        if name == "receive":
            self.data += values[0]
        self.events.append((name, *values))
        self._news.set()

    async def until(self, *names: str) -> None:
        while not any(name in names for name, *_ in self.events):
            self._news.clear()
            await self._news.wait()

    async def received(self, count: int) -> bytes:
        while len(self.data) < count:
            # Who has ended brings no more: to wait for it would be a test that never ends, and says nothing.
            assert self.events[-1][0] not in ("reconnection", "disconnection"), self.events
            self._news.clear()
            await self._news.wait()
        return bytes(self.data)


async def secured(board: Board, host: str, port: int) -> Secured:
    made = Secured(await board.tls.createConnection())
    await made.socket.connect(port, host)
    await made.until("connection", "reconnection", "disconnection")
    return made


@pytest.mark.needs("tls")
async def test_a_connection_stands_and_echoes(board: Board, host: str) -> None:
    async with asyncio.timeout(3 * PATIENCE), tls_server(host, echo) as port:
        peer = await secured(board, host, port)
        assert peer.events == [("dns", host), ("connection",)]
        assert await peer.socket.getpeer() == (host, port)
        sent = bytes(range(256)) * 8
        await peer.socket.send(sent)
        assert await peer.received(len(sent)) == sent
        await peer.socket.close()
        await peer.until("disconnection")
        await peer.socket.release()


@pytest.mark.needs("tls")
async def test_beside_a_plain_socket_that_moves_data(board: Board, host: str) -> None:

    async def feed(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in range(40):
            writer.write(bytes([number]) * 1_000)
            await writer.drain()

    async with asyncio.timeout(5 * PATIENCE), tls_server(host, echo) as port, tcp_server(host, feed) as plain_port:
        plain = await board.net.createConnection()
        data, ended = bytearray(), asyncio.Event()
        begun = asyncio.Event()
        plain.on("receive", lambda _, piece: (data.extend(piece), begun.set()))
        plain.on("disconnection", lambda *_: ended.set())
        await plain.connect(plain_port, host)
        await begun.wait()
        peer = await secured(board, host, port)
        assert ("connection",) in peer.events
        await peer.socket.send(b"beside")
        assert await peer.received(6) == b"beside"
        # Beside an open TLS connection a board may have no room for a window: then the plain one goes on behind it.
        await peer.socket.close()
        await peer.until("disconnection")
        await ended.wait()
        assert bytes(data) == b"".join(bytes([number]) * 1_000 for number in range(40))
        for socket in (plain, peer.socket):
            await socket.release()


@pytest.mark.needs("tls")
async def test_a_server_that_resets_in_the_handshake(board: Board, host: str) -> None:

    async def slam(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        socket = writer.get_extra_info("socket")
        socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with asyncio.timeout(PATIENCE), tcp_server(host, slam) as port:
        peer = await secured(board, host, port)
        assert peer.events[-1] == ("reconnection", "Connection reset")
        await peer.socket.release()


@pytest.mark.needs("tls")
async def test_nobody_listens(board: Board, host: str) -> None:
    async with asyncio.timeout(PATIENCE):
        async with tcp_server(host, echo) as port:
            pass
        peer = await secured(board, host, port)
        assert peer.events[-1][0] == "reconnection"
        await peer.socket.release()


@pytest.mark.needs("tls")
async def test_whose_certificates_are_believed(board: Board, host: str) -> None:
    await board.reset()  # certificates need more heap than the agent leaves that has done all of the above
    async with asyncio.timeout(10 * PATIENCE), tls_server(host, echo) as port:
        try:
            for authority, last in ((STRANGER, ("reconnection", None)), (AUTHORITY, ("connection",))):
                pem = authority.certificate
                assert await board.tls.cert.verify(lambda number, pem=pem: pem if number == 1 else None) is True
                peer = await secured(board, host, port)
                assert peer.events[-1] == last
                await peer.socket.close()
                await peer.socket.release()
        finally:
            await board.tls.cert.verify(False)


@pytest.mark.needs("tls")
async def test_the_board_shows_its_own_certificate(board: Board, host: str) -> None:
    await board.reset()
    own = issue("board", issuer=AUTHORITY)
    async with asyncio.timeout(10 * PATIENCE), tls_server(host, echo, client_ca=AUTHORITY) as port:
        try:
            assert await board.tls.cert.auth(lambda number: [own.key, own.certificate, None][number]) is True
            peer = await secured(board, host, port)
            assert peer.events[-1] == ("connection",)
            await peer.socket.send(b"it is me")
            assert await peer.received(8) == b"it is me"
            await peer.socket.close()
            await peer.until("disconnection")
            await peer.socket.release()
        finally:
            await board.tls.cert.auth(False)
