"""Encrypted connections that the board opens to OpenSSL on the host."""

from __future__ import annotations

import asyncio
import hashlib
import random
import ssl

import pytest

from bridge.errors import AgentError
from bridge.mirror.tls import TLSSocket
from tests.hil.conftest import Board
from tests.hil.peers import PATIENCE, echo, tcp_server, tls_server
from tests.virtual.modules.tls_bench import issue, server_context

Events = asyncio.Queue[tuple[object, ...]]


pytestmark = [pytest.mark.needs("tls"), pytest.mark.needs_heap(30_000)]


@pytest.fixture(scope="module")
def server_side() -> ssl.SSLContext:
    """OpenSSL's settings for a server with a certificate that nobody knows."""
    return server_context(issue("server"))


async def client(board: Board, *names: str) -> tuple[TLSSocket, Events]:
    """A TLS socket of the board, and the events of these names."""
    socket = await board.tls.createConnection()
    return socket, listen_to(socket, *names)


def listen_to(socket: TLSSocket, *names: str) -> Events:
    events: Events = asyncio.Queue()
    for name in names:
        socket.on(name, lambda each, *values, name=name: events.put_nowait((name, *values)))
    return events


async def test_a_connection_is_encrypted_and_carries_data_both_ways(
    board: Board, host: str, server_side: ssl.SSLContext
) -> None:
    ciphers: asyncio.Queue[str] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ciphers.put_nowait(writer.get_extra_info("ssl_object").version())
        await echo(reader, writer)

    async with asyncio.timeout(2 * PATIENCE), tls_server(host, server_side, serve) as port:
        socket, events = await client(board, "dns", "connection", "receive", "sent", "disconnection", "reconnection")
        assert await socket.getpeer() == (None, None)
        await socket.connect(port, host)
        assert await events.get() == ("dns", host)
        assert await events.get() == ("connection",)
        assert await ciphers.get() == "TLSv1.2"
        assert await socket.getpeer() == (host, port), "address first: not as in net"
        await socket.send(b"hello")
        assert sorted([await events.get(), await events.get()]) == [("receive", b"hello"), ("sent",)]
        await socket.close()
        assert await events.get() == ("disconnection",)
        assert events.empty()
        await socket.release()


async def test_long_data_arrives_whole(board: Board, host: str, server_side: ssl.SSLContext) -> None:
    sent = random.Random(3).randbytes(10_000)

    async def answer_with_the_digest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(hashlib.sha256(await reader.readexactly(len(sent))).digest())
        await reader.read()

    async with asyncio.timeout(3 * PATIENCE), tls_server(host, server_side, answer_with_the_digest) as port:
        socket, events = await client(board, "connection", "receive", "reconnection")
        await socket.connect(port, host)
        assert await events.get() == ("connection",)
        await socket.send(sent)
        assert await events.get() == ("receive", hashlib.sha256(sent).digest())
        await socket.close()
        await socket.release()


async def test_the_peer_sees_the_end_after_the_last_byte(board: Board, host: str, server_side: ssl.SSLContext) -> None:
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        heard.set_result(await reader.read())

    async with asyncio.timeout(2 * PATIENCE), tls_server(host, server_side, serve) as port:
        socket, events = await client(board, "connection")
        await socket.connect(port, host)
        assert await events.get() == ("connection",)
        await socket.send(b"the last words")
        await socket.close()
        assert await heard == b"the last words"
        await socket.release()


async def test_the_peers_end_is_a_disconnection_without_a_code(
    board: Board, host: str, server_side: ssl.SSLContext
) -> None:
    async def say_goodbye(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)  # what comes with the end of the handshake the firmware reads too late
        writer.write(b"bye")
        await writer.drain()

    async with asyncio.timeout(2 * PATIENCE), tls_server(host, server_side, say_goodbye) as port:
        socket, events = await client(board, "connection", "receive", "disconnection", "reconnection")
        await socket.connect(port, host)
        assert await events.get() == ("connection",)
        await socket.send(b"?")
        assert [await events.get() for _ in range(2)] == [("receive", b"bye"), ("disconnection",)]
        await socket.release()


async def test_what_goes_wrong_is_a_reconnection_with_its_reason(board: Board, host: str) -> None:
    async def no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.0 400 this is no TLS\r\n\r\n" * 10)
        await writer.drain()

    async with asyncio.timeout(3 * PATIENCE):
        async with tcp_server(host, echo) as port:
            pass  # nobody listens there any more
        socket, events = await client(board, "connection", "reconnection", "disconnection")
        await socket.connect(port, host)
        assert await events.get() == ("reconnection", "Connection reset")
        await socket.release()
        async with tcp_server(host, no_tls) as port:
            socket, events = await client(board, "connection", "reconnection", "disconnection")
            await socket.connect(port, host)
            (name, _) = await events.get()
            assert name == "reconnection"
            await socket.release()


async def test_a_held_tls_socket_tells_of_nothing_until_it_is_let_go(
    board: Board, host: str, server_side: ssl.SSLContext
) -> None:
    said = asyncio.Event()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        writer.write(b"welcome")
        await writer.drain()
        said.set()
        await reader.read()

    async with asyncio.timeout(2 * PATIENCE), tls_server(host, server_side, greet) as port:
        socket, events = await client(board, "connection", "receive")
        await socket.connect(port, host)
        assert await events.get() == ("connection",)
        await socket.hold()
        await socket.send(b"?")
        await said.wait()
        rang = asyncio.Event()
        timer = await board.lua.tmr.create()
        await timer.alarm(500, 0, lambda *_: rang.set())
        await rang.wait()
        assert events.empty()
        await socket.unhold()
        assert await events.get() == ("receive", b"welcome")
        await socket.close()
        await socket.release()


async def test_a_handler_that_is_taken_away_hears_nothing_of_tls(
    board: Board, host: str, server_side: ssl.SSLContext
) -> None:
    async with asyncio.timeout(2 * PATIENCE), tls_server(host, server_side, echo) as port:
        socket, events = await client(board, "connection", "receive", "sent")
        socket.on("receive", None)
        await socket.connect(port, host)
        assert await events.get() == ("connection",)
        await socket.send(b"unheard")
        assert await events.get() == ("sent",)
        rang = asyncio.Event()
        timer = await board.lua.tmr.create()
        await timer.alarm(500, 0, lambda *_: rang.set())
        await rang.wait()
        listen_to(socket, "sent")
        again = listen_to(socket, "receive")
        await socket.send(b"heard")
        assert await again.get() == ("receive", b"heard")
        await socket.close()
        await socket.release()


async def test_debugging_is_set_where_the_firmware_has_it(board: Board) -> None:
    """Stock builds have no `tls.setDebug`; one that is laid over the module stands for builds that do."""
    if not await board.eval("tls.setDebug ~= nil"):
        with pytest.raises(AgentError, match="without tls.setDebug"):
            await board.tls.setDebug(1)
    await board.exec(
        "stock_tls = tls tls = setmetatable({setDebug=function(...) debug_level = {...} end}, {__index=stock_tls})"
    )
    try:
        assert await board.tls.setDebug(3) is None
        assert await board.eval("#debug_level, debug_level[1]") == (1, 3)
    finally:
        await board.exec("tls, stock_tls, debug_level = nil")
        assert await board.eval("tls.createConnection ~= nil")
