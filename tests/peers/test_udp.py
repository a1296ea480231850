from __future__ import annotations

import asyncio

from bridge.peers import udp_echo_server, udp_socket


async def test_datagrams_come_back_and_are_noted() -> None:
    async with asyncio.timeout(10), udp_echo_server("127.0.0.1") as peer, udp_socket("127.0.0.1") as own:
        own.send(b"hello", (peer.host, peer.port))
        assert await own.received.get() == (b"hello", (peer.host, peer.port))
        assert peer.received == [(b"hello", ("127.0.0.1", own.port))]
