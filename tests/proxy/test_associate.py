"""UDP ASSOCIATE of SOCKS5: a UDP socket of the board for a client."""

from __future__ import annotations

import asyncio
import struct
from random import Random
from typing import Any

import pytest

from bridge.proxy import Limits
from bridge.virtual.lwip import dns_message
from tests.proxy.rig import PATIENCE, rig, until
from tests.proxy.servers import Echo, datagram_server
from tests.proxy.socks_client import UDP, SocksClient, address_bytes

ANYWHERE = ("0.0.0.0", 0)


class Datagrams(asyncio.DatagramProtocol):
    """The client's UDP socket, with the header of SOCKS5."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[tuple[bytes, bytes]] = asyncio.Queue()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert data[:4] == b"\0\0\0\1"
        self.received.put_nowait((data[3:10], data[10:]))

    def send(self, host: str, port: int, data: bytes, front: bytes = b"\0\0\0") -> None:
        self.transport.sendto(front + address_bytes(host, port) + data)

    async def next(self) -> tuple[bytes, bytes]:
        """Where the next datagram comes from, as messages have it, and its data."""
        async with asyncio.timeout(PATIENCE):
            return await self.received.get()


async def datagrams(where: tuple[str, int], local: tuple[str, int] = ("127.0.0.1", 0)) -> Datagrams:
    loop = asyncio.get_running_loop()
    _, made = await loop.create_datagram_endpoint(Datagrams, remote_addr=where, local_addr=local)
    return made


async def test_datagrams_go_both_ways() -> None:
    async with rig() as one, datagram_server(one.host) as port, SocksClient(*one.address) as client:
        code, *where = await client.request(UDP, *ANYWHERE)
        assert code == 0 and where[0] == "127.0.0.1"
        udp = await datagrams((where[0], where[1]))
        for host in (one.host, "web.test"):
            for size in (1, 100, 1472):
                data = Random(size).randbytes(size)
                udp.send(host, port, data)
                assert await udp.next() == (address_bytes(one.host, port), data)
        udp.transport.close()
        client.writer.close()
        served = await one.outcome()
        assert (served.kind, served.outcome, served.to_board, served.from_board) == ("udp", "served", 3146, 3146)


async def test_what_cannot_go_is_dropped_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    async with rig() as one, datagram_server(one.host) as port, SocksClient(*one.address) as client:
        _, *where = await client.request(UDP, *ANYWHERE)
        udp = await datagrams((where[0], where[1]))
        for _ in range(3):
            udp.send(one.host, port, bytes(1473))
            udp.send(one.host, port, b"part", front=b"\0\0\1")
            udp.send(one.host, 0, b"nowhere")
            udp.send(one.host, port, b"")
            udp.send("2001:db8::1", port, b"six")
            udp.transport.sendto(b"\0\0\0\x09nonsense")
        udp.send(one.host, port, b"last")
        assert await udp.next() == (address_bytes(one.host, port), b"last")
        assert udp.received.empty()
        reasons = sorted(record.getMessage().partition("dropped: ")[2] for record in caplog.records)
        assert reasons == [
            "it goes to port 0",
            "it is a fragment",
            "its header is damaged",
            "more than 1472 bytes do not leave the board",
            "the board's stack speaks IPv4 alone",
            "the stock module sends no empty datagram",
        ]
        udp.transport.close()


async def test_only_the_client_may_send_and_hear() -> None:
    async with rig() as one, datagram_server(one.host) as port, SocksClient(*one.address) as client:
        _, *where = await client.request(UDP, *ANYWHERE)
        udp = await datagrams((where[0], where[1]))
        udp.send(one.host, port, b"first")
        assert (await udp.next())[1] == b"first"
        neighbour = await datagrams((where[0], where[1]))
        neighbour.send(one.host, port, b"intruder")
        udp.send(one.host, port, b"second")
        assert (await udp.next())[1] == b"second"
        assert udp.received.empty() and neighbour.received.empty()
        for each in (udp, neighbour):
            each.transport.close()


async def test_a_port_that_the_client_has_named_is_the_only_one() -> None:
    async with rig() as one, datagram_server(one.host) as port, SocksClient(*one.address) as client:
        mine = await datagrams(("127.0.0.1", 9))
        own = mine.transport.get_extra_info("sockname")[1]
        mine.transport.close()
        _, *where = await client.request(UDP, "0.0.0.0", own)
        stranger = await datagrams((where[0], where[1]))
        stranger.send(one.host, port, b"intruder")
        udp = await datagrams((where[0], where[1]), ("127.0.0.1", own))
        udp.send(one.host, port, b"mine")
        assert (await udp.next())[1] == b"mine"
        assert stranger.received.empty()
        for each in (udp, stranger):
            each.transport.close()


async def test_a_name_nobody_knows_stalls_no_other_datagram(caplog: pytest.LogCaptureFixture) -> None:
    async with rig() as one, datagram_server(one.host) as port, SocksClient(*one.address) as client:
        _, *where = await client.request(UDP, *ANYWHERE)
        udp = await datagrams((where[0], where[1]))
        udp.send("nobody.test", port, b"lost")
        udp.send(one.host, port, b"found")
        assert (await udp.next())[1] == b"found"
        assert "nobody.test" not in caplog.text
        await until(lambda: "do not know 'nobody.test'" in caplog.text, "word of the name")
        udp.transport.close()


class Names(Echo):
    """A DNS server that knows one name."""

    def answer(self, data: bytes) -> bytes:
        # Header with one answer, the question, and a pointer to its name.
        return data[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + data[12:] + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\7"


async def test_a_question_of_dns_over_it() -> None:
    async with rig() as one, datagram_server(one.host, Names) as port, SocksClient(*one.address) as client:
        _, *where = await client.request(UDP, *ANYWHERE)
        udp = await datagrams((where[0], where[1]))
        question = dns_message.query(77, b"example.com")
        udp.send(one.host, port, question)
        answer = (await udp.next())[1]
        assert answer[:2] == struct.pack(">H", 77) and answer[-4:] == bytes((10, 0, 0, 7))
        udp.transport.close()


async def test_it_ends_with_its_connection() -> None:
    async with rig() as one, datagram_server(one.host) as port:
        async with SocksClient(*one.address) as client:
            _, *where = await client.request(UDP, *ANYWHERE)
            udp = await datagrams((where[0], where[1]))
            udp.send(one.host, port, b"first")
            assert (await udp.next())[1] == b"first"
            client.writer.write(b"what is said here is nobody's affair" * 5000)
        await one.outcome()
        assert one.proxy._service.associations == 0
        udp.transport.close()


async def test_the_board_restarts() -> None:
    async with rig() as one, SocksClient(*one.address) as client:
        assert (await client.request(UDP, *ANYWHERE))[0] == 0
        await one.board.reset()
        with pytest.raises(ConnectionResetError):
            await client.reader.read()
        async with SocksClient(*one.address) as again:
            assert (await again.request(UDP, *ANYWHERE))[0] == 0


async def test_there_are_so_many_and_no_more() -> None:
    async with rig(limits=Limits(associations=2)) as one:
        async with SocksClient(*one.address) as a, SocksClient(*one.address) as b, SocksClient(*one.address) as c:
            codes = [(await each.request(UDP, *ANYWHERE))[0] for each in (a, b, c)]
            assert codes == [0, 0, 1]
        await one.outcome(3)
        async with SocksClient(*one.address) as again:
            assert (await again.request(UDP, *ANYWHERE))[0] == 0


async def test_a_client_that_vanishes_before_the_reply() -> None:
    async with rig() as one:
        for number in range(1, 4):
            async with SocksClient(*one.address) as client:
                await client.ask(UDP, *ANYWHERE)
            await one.outcome(number)
        assert one.proxy._service.associations == 0
