"""Datagrams both ways."""

from __future__ import annotations

import asyncio

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
