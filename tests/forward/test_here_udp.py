"""Datagrams from this computer, by a virtual board over RFC 2217, to its network."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bridge.errors import PortBusy
from bridge.forward import local, open_forwards
from bridge.virtual.lwip import dns_message
from bridge.virtual.lwip.address import from_dotted
from tests.forward.peers import Datagrams, program, udp_served
from tests.forward.rig import Rig, nothing_left, on, opened


@asynccontextmanager
async def dns_server(host: str) -> AsyncIterator[int]:
    """Knows the address of every name; gives its port."""

    def answer(question: bytes) -> bytes:
        return dns_message.respond(question, [from_dotted("192.0.2.7")])

    async with udp_served(host, answer) as port:
        yield port


def test_dig_asks_a_name_server(board_rig: Rig) -> None:
    async def scenario() -> None:
        async with on(board_rig) as board, dns_server(board_rig.host) as port:
            async with opened(board, local(f"udp:0:here.test:{port}")) as open_:
                address, chosen = open_.forwards[0].address
                assert open_.forwards[0].line == f"udp {address}:{chosen} → board → here.test:{port}"
                for _ in range(2):
                    code, out, err = await program(
                        "dig",
                        "+short",
                        "+noedns",
                        "+tries=1",
                        "+time=20",
                        f"@{address}",
                        "-p",
                        str(chosen),
                        "name.test",
                    )
                    assert (code, out.strip(), err) == (0, b"192.0.2.7", b""), out

    asyncio.run(scenario())


def test_each_client_gets_its_own_answers(board_rig: Rig) -> None:
    async def scenario() -> None:
        async with on(board_rig) as board, udp_served(board_rig.host, lambda data: b"re: " + data) as port:
            async with opened(board, local(f"udp:0:{board_rig.host}:{port}"), udp_idle=5.0) as open_:
                address = open_.forwards[0].address
                async with contextlib.AsyncExitStack() as stack:
                    clients = [await stack.enter_async_context(Datagrams.connected(address)) for _ in range(4)]
                    for number, client in enumerate(clients):
                        client.send(b"%d" % number)
                        client.send(b"x" * (1400 + number))
                    for number, client in enumerate(clients):
                        assert {await client.next(), await client.next()} == {
                            b"re: %d" % number, b"re: " + b"x" * (1400 + number)
                        }  # fmt: skip
                    clients[0].send(b"")
                    clients[0].send(b"y" * 1473)
                    assert "1473 bytes is lost" in await open_.heard("is lost")
                    clients[0].send(b"last")
                    assert await clients[0].next() == b"re: last"

    asyncio.run(scenario())


def test_questions_from_forty_ports_are_all_answered(board_rig: Rig) -> None:
    """As of a resolver, which asks from a new port each time; the board bears eight sockets at once."""

    async def scenario() -> None:
        async with on(board_rig) as board, udp_served(board_rig.host, lambda data: b"re: " + data) as port:
            async with opened(board, local(f"udp:0:here.test:{port}")) as open_, contextlib.AsyncExitStack() as stack:
                connected = Datagrams.connected
                clients = [await stack.enter_async_context(connected(open_.forwards[0].address)) for _ in range(40)]
                for number, client in enumerate(clients):
                    client.send(b"%d" % number)
                answers = await asyncio.gather(*(client.next() for client in clients))
                assert answers == [b"re: %d" % number for number in range(40)]
                assert board.last_reset is None and open_.told == []

    asyncio.run(scenario())


def test_what_happens_again_and_again_is_told_once(board_rig: Rig) -> None:
    async def scenario() -> None:
        async with on(board_rig) as board, udp_served(board_rig.host, lambda data: data) as port:
            wanted = [local(f"udp:0:{board_rig.host}:{port}"), local("udp:0:a..b:53")]
            async with opened(board, *wanted) as open_, contextlib.AsyncExitStack() as stack:
                to, nowhere = [
                    await stack.enter_async_context(Datagrams.connected(each.address)) for each in open_.forwards
                ]
                for number in range(20):
                    to.send(b"y" * (1473 + number))
                    nowhere.send(b"x")
                    to.send(b"%d" % number)
                    assert await to.next() == b"%d" % number
                await open_.heard("cannot be the name of a host")
                assert len(open_.told) == 2, open_.told

    asyncio.run(scenario())


def test_a_reset_of_the_board_is_survived(board_rig: Rig) -> None:
    async def scenario() -> None:
        async with on(board_rig) as board, udp_served(board_rig.host, lambda data: data) as port:
            async with opened(board, local(f"udp:0:{board_rig.host}:{port}")) as open_:
                async with Datagrams.connected(open_.forwards[0].address) as client:
                    client.send(b"before")
                    assert await client.next() == b"before"
                    board_rig.press_reset()
                    await open_.heard("The board is back")
                    client.send(b"after")
                    assert await client.next() == b"after"

    asyncio.run(scenario())


def test_a_name_that_can_be_none_is_told(board_rig: Rig) -> None:
    async def scenario() -> None:
        async with on(board_rig) as board, opened(board, local("udp:0:a..b:53")) as open_:
            async with Datagrams.connected(open_.forwards[0].address) as client:
                client.send(b"x")
                assert "'a..b' cannot be the name of a host" in await open_.heard("cannot be")

    asyncio.run(scenario())


def test_a_port_that_is_taken(board_rig: Rig) -> None:
    async def scenario() -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            port = other.getsockname()[1]
            async with on(board_rig) as board, nothing_left(board):
                with pytest.raises(PortBusy, match=f"UDP port 127.0.0.1:{port} of this computer is taken"):
                    async with open_forwards(board, [local(f"udp:{port}:a.test:53")]):
                        pass

    asyncio.run(scenario())
