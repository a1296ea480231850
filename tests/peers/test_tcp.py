"""Peers against sockets of this computer; against a board they are in tests/pytest_plugin/test_peer_fixtures.py."""

from __future__ import annotations

import asyncio

import pytest

from bridge.peers import echo_server, half_closing_server, resetting_server, slow_server, tcp_server

HERE = "127.0.0.1"


async def test_echo() -> None:
    async with echo_server(HERE) as peer:
        for number in (1, 2):
            reader, writer = await asyncio.open_connection(peer.host, peer.port)
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            assert (peer.connections, bytes(peer.received)) == (number, b"hello" * number)
            writer.close()


async def test_slow_takes_little_ahead() -> None:
    async with slow_server(HERE, rate=2_000) as peer:
        reader, writer = await asyncio.open_connection(peer.host, peer.port)
        loop = asyncio.get_running_loop()
        began = loop.time()
        writer.write(bytes(1_000))
        assert await reader.readexactly(1_000) == bytes(1_000)
        # It sleeps that long itself: no machine is so quick that this is not true.
        assert loop.time() - began >= 0.4
        writer.write(bytes(4_000_000))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await writer.drain()
        writer.transport.abort()


@pytest.mark.parametrize("after", [0, 1, 5])
async def test_resetting(after: int) -> None:
    async with resetting_server(HERE, after=after) as peer:
        reader, writer = await asyncio.open_connection(peer.host, peer.port)
        writer.write(b"hello"[:after])
        with pytest.raises(ConnectionResetError):
            await reader.read()
        assert bytes(peer.received) == b"hello"[:after]
        writer.close()


async def test_half_closing_reads_on() -> None:
    async with half_closing_server(HERE, farewell=b"so long") as peer:
        reader, writer = await asyncio.open_connection(peer.host, peer.port)
        assert await reader.read() == b"so long"
        writer.write(b"still here")
        await writer.drain()
        writer.write_eof()
        await peer.idle.wait()
        assert bytes(peer.received) == b"still here"
        writer.close()
        await writer.wait_closed()


async def test_connections_that_stand_end_with_the_server() -> None:
    came = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        await asyncio.Event().wait()

    async with tcp_server(HERE, wait) as port:
        reader, writer = await asyncio.open_connection(HERE, port)
        await came.wait()
    assert await reader.read() == b""
    writer.close()
