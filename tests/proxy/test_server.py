"""The proxy as a whole: where it listens, who is let in, how it ends."""

from __future__ import annotations

import asyncio

import pytest

from bridge.errors import PortBusy, PortError, UsageError
from bridge.opening import open_board
from bridge.proxy import Credentials, Limits, Proxy
from tests.heap_baseline import heap_comes_back
from tests.proxy.rig import PATIENCE, QUICK, rig, until
from tests.proxy.servers import echo, server
from tests.proxy.socks_client import BIND, CONNECT, UDP, SocksClient


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.0.2.7", "example.com"])
def test_an_address_that_others_reach_needs_credentials(host: str) -> None:
    with pytest.raises(UsageError, match="is open to other computers, so it needs a user and a password"):
        Proxy.check(host, 1080, None)
    Proxy.check(host, 1080, Credentials("me", "hunter2"))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_a_loopback_address_needs_none(host: str) -> None:
    Proxy.check(host, 0, None)


@pytest.mark.parametrize("tcp_port", [-1, 65_536])
def test_a_port_that_is_none(tcp_port: int) -> None:
    with pytest.raises(UsageError):
        Proxy.check("127.0.0.1", tcp_port, None)


async def test_a_place_that_is_taken_or_not_here() -> None:
    async with rig() as one:
        with pytest.raises(PortBusy, match=f"127.0.0.1:{one.address[1]}"):
            await Proxy(one.board, tcp_port=one.address[1]).open()
        with pytest.raises(PortError):
            await Proxy(one.board, host="192.0.2.7", credentials=Credentials("a", "b")).open()


async def test_more_clients_than_allowed_are_sent_away() -> None:
    async with rig(limits=Limits(clients=3)) as one, server(one.host, echo) as port:
        clients = [await SocksClient(*one.address).__aenter__() for _ in range(3)]
        for client in clients:
            await client.greet()
        async with SocksClient(*one.address) as late:
            with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
                await late.greet()
        clients.pop().writer.close()
        await until(lambda: one.proxy.clients == 2, "place")
        async with SocksClient(*one.address) as next_one:
            assert (await next_one.request(CONNECT, one.host, port))[0] == 0
        for client in clients:
            client.writer.close()


async def test_closing_ends_every_connection_and_nothing_stays() -> None:
    async with open_board(QUICK.format(host="127.0.0.1"), speeds=()) as board, server("127.0.0.1", echo) as port:
        await board.eval("1")
        tasks = len(asyncio.all_tasks())
        proxy = Proxy(board, tcp_port=0)
        await proxy.open()
        forever = asyncio.ensure_future(proxy.serve_forever())
        clients = [await SocksClient(*proxy.address).__aenter__() for _ in range(5)]
        await clients[0].greet()
        await clients[1].ask(CONNECT, "192.0.2.1", 80)
        assert (await clients[2].request(CONNECT, "127.0.0.1", port))[0] == 0
        assert (await clients[3].request(UDP, "0.0.0.0", 0))[0] == 0
        assert (await clients[4].request(BIND, "0.0.0.0", 0))[0] == 0
        await proxy.close()
        await proxy.close()
        await forever
        for client in clients:
            try:
                await client.reader.read()
            except ConnectionResetError:
                pass
            client.writer.close()
        await until(lambda: board._slots.taken == 0 and len(board._table or ()) == 0, "quiet on the board")
        await until(lambda: len(asyncio.all_tasks()) <= tasks, "end of the tasks")
        with pytest.raises(UsageError):
            proxy.address  # noqa: B018  # what is asked is whether it raises


async def test_serving_ends_with_the_board() -> None:
    async with open_board(QUICK.format(host="127.0.0.1"), speeds=()) as board, Proxy(board, tcp_port=0) as proxy:
        forever = asyncio.ensure_future(proxy.serve_forever())
        await board.reset()
        assert not forever.done()
        await board.close()
        with pytest.raises(PortError, match="has been closed"):
            async with asyncio.timeout(PATIENCE):
                await forever


async def test_the_heap_of_the_board_comes_back() -> None:
    async def one_of_each(port: int) -> None:
        async with SocksClient(*one.address) as client:
            assert (await client.request(CONNECT, one.host, port))[0] == 0
            client.writer.write(b"x" * 3000)
            await client.reader.readexactly(3000)
        async with SocksClient(*one.address) as client:
            assert (await client.request(UDP, "0.0.0.0", 0))[0] == 0
        async with SocksClient(*one.address) as client:
            _, address, bound = await client.request(BIND, "0.0.0.0", 0)
            _, writer = await asyncio.open_connection(address, bound)
            assert (await client.reply())[0] == 0
            writer.close()

    async with rig() as one, server(one.host, echo) as port:
        await heap_comes_back(one.board, lambda: one_of_each(port))
