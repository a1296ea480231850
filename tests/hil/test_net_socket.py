"""What each method of a TCP socket does, and when each of its events comes."""

from __future__ import annotations

import asyncio
import socket as stdlib_socket
import struct

import pytest

from bridge.errors import LuaError
from bridge.mirror.tcp import TCPSocket
from bridge.wire.messages import CREDIT
from tests.hil.conftest import Board
from tests.hil.peers import PATIENCE, echo, tcp_server

pytestmark = pytest.mark.needs_heap(20_000)


async def connected(board: Board, port: int, host: str) -> TCPSocket:
    """A socket of the board, connected."""
    socket = await board.net.createConnection()
    stands: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    socket.on("connection", lambda _: stands.set_result(None))
    await socket.connect(port, host)
    await stands
    return socket


class Peer:
    """A server on the host that takes one connection and leaves it to the test."""

    def __init__(self) -> None:
        self.taken: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = (
            asyncio.get_running_loop().create_future()
        )
        self._over = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken.set_result((reader, writer))
        await self._over.wait()

    def end(self) -> None:
        """Close the connection."""
        self._over.set()


async def board_seconds(board: Board, seconds: float) -> None:
    """Ends when a timer of the board has run for so long."""
    rang = asyncio.Event()
    timer = await board.lua.tmr.create()
    await timer.alarm(int(seconds * 1000), 0, lambda *_: rang.set())
    await rang.wait()
    await timer.release()


async def test_both_ends_have_the_addresses_that_the_peer_sees(board: Board, host: str, address: str) -> None:
    peer = Peer()
    async with asyncio.timeout(PATIENCE), tcp_server(host, peer) as port:
        socket = await board.net.createConnection()
        assert await socket.getpeer() == (None, None)
        assert await socket.getaddr() == (None, None)
        stands = asyncio.Event()
        await socket.connect(port, host, lambda _: stands.set())
        await stands.wait()
        _, writer = await peer.taken
        seen_ip, seen_port = writer.get_extra_info("peername")
        assert await socket.getpeer() == (port, host)
        assert await socket.getaddr() == (seen_port, address) and seen_ip == address
        await socket.close()
        assert await socket.getaddr() == (None, None)
        peer.end()
        await socket.release()


async def test_close_ends_the_connection_after_its_last_byte_and_fires_nothing(board: Board, host: str) -> None:
    peer = Peer()
    events: list[tuple[object, ...]] = []
    async with asyncio.timeout(PATIENCE), tcp_server(host, peer) as port:
        socket = await connected(board, port, host)
        for name in ("disconnection", "reconnection"):
            socket.on(name, lambda *values: events.append(values))
        await socket.send(b"the last words")
        await socket.close()
        reader, _ = await peer.taken
        assert await reader.read() == b"the last words"
        for work in (socket.send(b"x"), socket.close()):
            with pytest.raises(LuaError, match="not connected"):
                await work
        peer.end()
        await board_seconds(board, 0.5)
        assert events == []
        await socket.release()


async def test_the_handler_given_to_send_is_the_sent_handler(board: Board, host: str) -> None:
    sent: asyncio.Queue[str] = asyncio.Queue()
    async with asyncio.timeout(PATIENCE), tcp_server(host, echo) as port:
        socket = await connected(board, port, host)
        socket.on("sent", lambda each: sent.put_nowait("on") if each is socket else None)
        await socket.send(b"one")
        assert await sent.get() == "on"
        await socket.send(b"two", lambda each: sent.put_nowait("send") if each is socket else None)
        assert await sent.get() == "send"
        await socket.send(b"three")  # the handler stays
        assert await sent.get() == "send"
        with pytest.raises(LuaError, match="no data to send"):
            await socket.send(b"")
        await socket.close()
        await socket.release()


async def test_a_held_socket_receives_nothing_until_it_is_let_go(board: Board, host: str) -> None:
    page = bytes(60_000)
    received = 0
    complete = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(page)
        await writer.drain()

    def receive(_: object, data: bytes) -> None:
        nonlocal received
        received += len(data)
        if received == len(page):
            complete.set()

    async with asyncio.timeout(3 * PATIENCE), tcp_server(host, serve) as port:
        socket = await board.net.createConnection()
        socket.on("receive", receive)
        await socket.hold()
        await socket.connect(port, host)
        await board_seconds(board, 3)
        assert received <= CREDIT, "what the credit allows, and not a byte more"
        held = received
        await board_seconds(board, 1)
        assert received == held
        await socket.unhold()
        await complete.wait()
        await socket.release()


async def test_a_handler_that_is_taken_away_hears_nothing(board: Board, host: str) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    async with asyncio.timeout(PATIENCE), tcp_server(host, echo) as port:
        socket = await connected(board, port, host)
        acknowledged: asyncio.Queue[None] = asyncio.Queue()
        socket.on("receive", lambda _, data: heard.put_nowait(data))
        await socket.send(b"heard")
        assert await heard.get() == b"heard"
        socket.on("receive", None)
        socket.on("sent", lambda _: acknowledged.put_nowait(None))
        await socket.send(b"unheard")
        await acknowledged.get()
        await board_seconds(board, 0.5)
        socket.on("receive", lambda _, data: heard.put_nowait(data))
        await socket.send(b"heard again")
        assert await heard.get() == b"heard again"
        await socket.close()
        await socket.release()


async def test_errors_are_disconnections_only_where_nobody_hears_reconnections(board: Board, host: str) -> None:
    async with asyncio.timeout(PATIENCE):
        async with tcp_server(host, echo) as port:
            pass  # nobody listens there any more
        events: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
        socket = await board.net.createConnection()
        socket.on("disconnection", lambda _, code: events.put_nowait(("disconnection", code)))
        await socket.connect(port, host)
        assert await events.get() == ("disconnection", -9)
        socket.on("reconnection", lambda _, code: events.put_nowait(("reconnection", code)))
        await socket.connect(port, host)  # the same object again
        assert await events.get() == ("reconnection", -9)
        assert events.empty()
        await socket.release()


async def test_a_peer_that_resets_is_a_reconnection_and_one_that_closes_a_disconnection(
    board: Board, host: str
) -> None:
    async with asyncio.timeout(PATIENCE):
        for ending, expected in (("abort", ("reconnection", -9)), ("close", ("disconnection", 0))):
            peer = Peer()
            events: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
            async with tcp_server(host, peer) as port:
                socket = await connected(board, port, host)
                for name in ("reconnection", "disconnection"):
                    socket.on(name, lambda _, code, name=name, events=events: events.put_nowait((name, code)))
                _, writer = await peer.taken
                if ending == "abort":
                    # Linger of no seconds: closing sends a reset.
                    own = writer.get_extra_info("socket")
                    own.setsockopt(stdlib_socket.SOL_SOCKET, stdlib_socket.SO_LINGER, struct.pack("ii", 1, 0))
                    writer.transport.abort()
                peer.end()
                assert await events.get() == expected
                await socket.release()


async def test_a_socket_resolves_and_tells_by_its_dns_event(board: Board, host: str) -> None:
    found: asyncio.Queue[tuple[object, str | None]] = asyncio.Queue()
    async with asyncio.timeout(PATIENCE):
        socket = await board.net.createConnection()
        await socket.dns(host, lambda each, ip: found.put_nowait((each, ip)))
        assert await found.get() == (socket, host)
        socket.on("dns", lambda each, ip: found.put_nowait((each, ip)))
        await socket.dns("10.1.2.3")
        assert await found.get() == (socket, "10.1.2.3")
        await socket.release()


async def test_the_time_to_live_is_read_and_set(board: Board, host: str) -> None:
    async with asyncio.timeout(PATIENCE), tcp_server(host, echo) as port:
        socket = await board.net.createConnection()
        with pytest.raises(LuaError, match="socket is not open/bound yet"):
            await socket.ttl()
        await socket.connect(port, host)
        assert await socket.ttl() == 255
        assert await socket.ttl(7) == 7
        assert await socket.ttl() == 7
        await socket.release()
