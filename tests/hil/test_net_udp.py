"""Datagrams both ways."""

from __future__ import annotations

import asyncio

import pytest

from bridge.errors import LuaError
from tests.hil.conftest import Board
from tests.hil.peers import PATIENCE, udp_socket


async def test_datagrams_keep_their_borders_and_their_sender(board: Board, host: str, address: str) -> None:
    received: asyncio.Queue[tuple[bytes, int, str]] = asyncio.Queue()
    async with asyncio.timeout(PATIENCE), udp_socket(host) as peer:
        socket = await board.net.createUDPSocket()
        socket.on("receive", lambda _, data, port, ip: received.put_nowait((data, port, ip)))
        await socket.listen()
        port, _ = await socket.getaddr()
        peer.send(b"one", (address, port))
        assert await received.get() == (b"one", peer.port, host)
        peer.send(bytes(range(256)) * 4, (address, port))
        assert await received.get() == (bytes(range(256)) * 4, peer.port, host)
        await socket.send(peer.port, host, b"back")
        data, sender = await peer.received.get()
        assert (data, sender) == (b"back", (address, port))
        await socket.close()
        await socket.release()


async def test_each_send_is_told_of(board: Board, host: str) -> None:
    sent: asyncio.Queue[str] = asyncio.Queue()
    async with asyncio.timeout(PATIENCE), udp_socket(host) as peer:
        socket = await board.net.createUDPSocket()
        socket.on("sent", lambda each: sent.put_nowait("on") if each is socket else None)
        await socket.send(peer.port, host, b"one")
        assert await sent.get() == "on"
        await socket.send(peer.port, host, b"two", lambda each: sent.put_nowait("send"))
        assert await sent.get() == "send"
        assert [(await peer.received.get())[0] for _ in range(2)] == [b"one", b"two"]
        for wrong, why in (((0, host, b"x"), "need port"), ((peer.port, "nonsense", b"x"), "invalid IP address")):
            with pytest.raises(LuaError, match=why):
                await socket.send(*wrong)
        with pytest.raises(LuaError, match="no data to send"):
            await socket.send(peer.port, host, b"")
        await socket.close()
        await socket.release()


async def test_a_place_is_taken_by_listen_and_free_after_close(board: Board, host: str, address: str) -> None:
    received: asyncio.Queue[object] = asyncio.Queue()
    async with asyncio.timeout(PATIENCE), udp_socket(host) as peer:
        first, second = await board.net.createUDPSocket(), await board.net.createUDPSocket()
        assert await first.getaddr() == (None, None)
        await first.listen()
        port, ip = await first.getaddr()
        assert port is not None and port > 0 and ip == "0.0.0.0"
        with pytest.raises(LuaError, match="address in use"):
            await second.listen(port)
        with pytest.raises(LuaError, match="already listening"):
            await first.listen(port)
        await first.close()
        assert await first.getaddr() == (None, None)
        with pytest.raises(LuaError, match="not connected"):
            await first.close()
        second.on("receive", lambda _, data, port, ip: received.put_nowait((data, port, ip)))
        await second.listen(port, address)
        assert await second.getaddr() == (port, address)
        peer.send(b"for the second", (address, port))
        assert await received.get() == (b"for the second", peer.port, host)
        await second.close()
        await first.release()
        await second.release()


async def test_a_udp_socket_resolves_and_has_a_time_to_live(board: Board, host: str) -> None:
    found: asyncio.Queue[tuple[object, str | None]] = asyncio.Queue()
    async with asyncio.timeout(PATIENCE):
        socket = await board.net.createUDPSocket()
        await socket.dns(host, lambda each, ip: found.put_nowait((each, ip)))
        assert await found.get() == (socket, host)
        socket.on("dns", lambda each, ip: found.put_nowait((each, ip)))
        await socket.dns("10.1.2.3")
        assert await found.get() == (socket, "10.1.2.3")
        with pytest.raises(LuaError, match="socket is not open/bound yet"):
            await socket.ttl()
        await socket.listen()
        assert await socket.ttl() == 255
        assert await socket.ttl(3) == 3 and await socket.ttl() == 3
        await socket.close()
        await socket.release()


async def test_a_handler_that_is_taken_away_hears_no_datagrams(board: Board, host: str, address: str) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    async with asyncio.timeout(PATIENCE), udp_socket(host) as peer:
        socket, watch = await board.net.createUDPSocket(), await board.net.createUDPSocket()
        await socket.listen()
        await watch.listen()
        port, _ = await socket.getaddr()
        other, _ = await watch.getaddr()
        socket.on("receive", None)
        watch.on("receive", lambda _, data, port, ip: heard.put_nowait(data))
        peer.send(b"unheard", (address, port))
        peer.send(b"arrived after it", (address, other))
        assert await heard.get() == b"arrived after it"
        socket.on("receive", lambda _, data, port, ip: heard.put_nowait(data))
        peer.send(b"heard", (address, port))
        assert await heard.get() == b"heard"
        for each in (socket, watch):
            await each.close()
            await each.release()
