"""BIND of SOCKS5: the board listens for a client."""

from __future__ import annotations

import asyncio

import pytest

from bridge.proxy import Limits
from tests.proxy.rig import rig, until
from tests.proxy.servers import echo, server
from tests.proxy.socks_client import BIND, CONNECT, SocksClient

ANYBODY = "0.0.0.0"


async def test_a_peer_comes_and_bytes_go_both_ways() -> None:
    async with rig() as one, SocksClient(*one.address) as client:
        code, address, port = await client.request(BIND, ANYBODY, 0)
        assert code == 0 and address.startswith("127.") and port > 0
        reader, writer = await asyncio.open_connection(address, port)
        assert await client.reply() == (0, *writer.get_extra_info("sockname")[:2])
        writer.write(b"from the peer")
        assert await client.reader.readexactly(13) == b"from the peer"
        client.writer.write(b"to the peer")
        assert await reader.readexactly(11) == b"to the peer"
        # Whoever comes later is not let in: the board listens no more.
        with pytest.raises(OSError):
            await asyncio.open_connection(address, port)
        writer.close()
        assert await client.reader.read() == b""
        served = await one.outcome()
        assert (served.kind, served.to_board, served.from_board) == ("bind", 11, 13)


async def test_only_the_peer_that_was_named_may_come() -> None:
    async with rig() as one, SocksClient(*one.address) as client:
        _, address, port = await client.request(BIND, "127.0.0.1", 0)
        stranger, writer = await asyncio.open_connection(address, port, local_addr=("127.9.9.9", 0))
        assert await stranger.read() == b""
        writer.close()
        _, writer = await asyncio.open_connection(address, port, local_addr=("127.0.0.1", 0))
        assert (await client.reply())[:2] == (0, "127.0.0.1")
        writer.close()
        assert await client.reader.read() == b""


async def test_nobody_comes() -> None:
    async with rig(limits=Limits(bind=0.3)) as one, SocksClient(*one.address) as client:
        _, address, port = await client.request(BIND, ANYBODY, 0)
        assert (await client.reply())[0] == 6
        assert await client.reader.read() == b""
        with pytest.raises(OSError):
            await asyncio.open_connection(address, port)


async def test_a_client_that_vanishes_ends_the_listening() -> None:
    async with rig() as one:
        async with SocksClient(*one.address) as client:
            _, address, port = await client.request(BIND, ANYBODY, 0)
        assert (await one.outcome()).outcome == "the client has gone"
        with pytest.raises(OSError):
            await asyncio.open_connection(address, port)


async def test_a_client_that_vanishes_before_the_first_reply() -> None:
    async with rig() as one:
        for number in range(1, 4):
            async with SocksClient(*one.address) as client:
                await client.ask(BIND, ANYBODY, 0)
                await until(lambda number=number: one.proxy.clients > 0 or len(one.served) == number, "client")
            await one.outcome(number)


@pytest.mark.parametrize(("host", "code"), [("nobody.test", 4), ("2001:db8::1", 8)])
async def test_a_peer_that_cannot_be(host: str, code: int) -> None:
    async with rig() as one, SocksClient(*one.address) as client:
        assert (await client.request(BIND, host, 0))[0] == code


async def test_the_board_restarts_while_nobody_has_come() -> None:
    async with rig() as one, SocksClient(*one.address) as client:
        assert (await client.request(BIND, ANYBODY, 0))[0] == 0
        await one.board.reset()
        assert (await client.reply())[0] == 1
        assert await client.reader.read() == b""


async def test_as_ftp_does_it() -> None:
    """A connection that stands, and a second one that its peer makes to where the client was told."""

    async def calls_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address, port = (await reader.readline()).split()
        _, data = await asyncio.open_connection(address.decode(), int(port))
        data.write(b"the file")
        data.close()

    async with rig() as one, server(one.host, calls_back) as port, server(one.host, echo):
        async with SocksClient(*one.address) as control, SocksClient(*one.address) as data:
            assert (await control.request(CONNECT, one.host, port))[0] == 0
            code, address, bound = await data.request(BIND, one.host, port)
            control.writer.write(f"{address} {bound}\n".encode())
            assert (code, (await data.reply())[0]) == (0, 0)
            assert await data.reader.read() == b"the file"
