"""TCP connections that the board opens to a peer on the host."""

from __future__ import annotations

import asyncio
import hashlib
import random

import pytest

from tests.hil.conftest import Board
from tests.hil.peers import PATIENCE, echo, tcp_server


async def test_a_connection_stands_and_echoes(board: Board, host: str) -> None:
    async with asyncio.timeout(PATIENCE), tcp_server(host, echo) as port:
        socket = await board.net.createConnection()
        connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        received: asyncio.Queue[bytes] = asyncio.Queue()
        socket.on("connection", lambda _: connected.set_result(None))
        socket.on("receive", lambda _, data: received.put_nowait(data))
        await socket.connect(port, host)
        await connected
        assert await socket.getpeer() == (port, host)
        await socket.send(b"hello")
        assert await received.get() == b"hello"
        await socket.close()
        assert await socket.getpeer() == (None, None)
        await socket.release()


@pytest.mark.needs_heap(22_000)
async def test_bytes_arrive_unchanged_and_in_order(board: Board, host: str) -> None:
    sent = random.Random(1).randbytes(12_000)
    async with asyncio.timeout(3 * PATIENCE), tcp_server(host, echo) as port:
        socket = await board.net.createConnection()
        back = bytearray()
        complete, acknowledged = asyncio.Event(), asyncio.Event()

        def receive(_: object, data: bytes) -> None:
            assert 1 <= len(data) <= 1460
            back.extend(data)
            if len(back) >= len(sent):
                complete.set()

        connected = asyncio.Event()
        socket.on("connection", lambda _: connected.set())
        socket.on("receive", receive)
        socket.on("sent", lambda _: acknowledged.set())
        await socket.connect(port, host)
        await connected.wait()
        await socket.send(sent)
        await complete.wait()
        await acknowledged.wait()
        assert hashlib.sha256(back).digest() == hashlib.sha256(sent).digest()
        await socket.close()
        await socket.release()


async def test_a_refused_connection_is_a_reconnection_event(board: Board, host: str) -> None:
    async with asyncio.timeout(PATIENCE):
        async with tcp_server(host, echo) as port:
            pass  # nobody listens there any more
        socket = await board.net.createConnection()
        code: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        socket.on("reconnection", lambda _, number: code.set_result(number))
        await socket.connect(port, host)
        assert await code == -9
        await socket.release()


async def test_the_peers_end_is_a_disconnection_event(board: Board, host: str) -> None:
    async def say_goodbye(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"bye")
        await writer.drain()

    events: asyncio.Queue[tuple[object, ...]] = asyncio.Queue()
    async with asyncio.timeout(PATIENCE), tcp_server(host, say_goodbye) as port:
        socket = await board.net.createConnection()
        for name in ("connection", "receive", "disconnection"):
            socket.on(name, lambda _, *values, name=name: events.put_nowait((name, *values)))
        await socket.connect(port, host)
        assert [await events.get() for _ in range(3)] == [("connection",), ("receive", b"bye"), ("disconnection", 0)]
        await socket.release()


async def test_an_address_needs_no_server_to_be_resolved(board: Board, host: str) -> None:
    assert await board.net.dns.resolve(host) == host
    found: asyncio.Queue[tuple[object, ...]] = asyncio.Queue()
    socket = await board.net.createConnection()
    socket.on("dns", lambda _, *values: found.put_nowait(values))
    async with asyncio.timeout(PATIENCE):
        await socket.dns(host)
        assert await found.get() == (host,)
    await socket.release()


@pytest.mark.needs_heap(22_000)
async def test_a_held_socket_gets_all_once_it_is_let_go(board: Board, host: str) -> None:
    sent = random.Random(4).randbytes(8000)

    async def pour(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()

    async with asyncio.timeout(2 * PATIENCE), tcp_server(host, pour) as port:
        socket = await board.net.createConnection()
        back, ended = bytearray(), asyncio.Event()
        first = asyncio.Event()

        def receive(_: object, data: bytes) -> None:
            back.extend(data)
            first.set()

        socket.on("receive", receive)
        socket.on("disconnection", lambda *_: ended.set())
        await socket.connect(port, host)
        await first.wait()
        await socket.hold()
        assert await board.eval("1+1") == 2
        await socket.unhold()
        await ended.wait()
        assert bytes(back) == sent
        await socket.release()
