"""Names that a server knows or not, and peers that fall silent: on a virtual board, network and clock."""

from __future__ import annotations

import asyncio

import pytest

from bridge.board import Board
from bridge.mirror.tcp import TCPSocket
from bridge.virtual.board import VirtualBoard
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.memstream import MemoryStream
from tests.mirror.test_on_a_board import HOST, on_a_board


async def greet(stream: MemoryStream) -> None:
    stream.write(b"welcome")
    await stream.read()


def test_a_name_is_looked_up_on_the_way_to_a_connection() -> None:
    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.zone["host.test"] = HOST
        network.serve(HOST, 80, greet)
        events: asyncio.Queue[tuple[object, ...]] = asyncio.Queue()
        socket = await board.net.createConnection()
        for name in ("dns", "connection", "receive"):
            socket.on(name, lambda _, *values, name=name: events.put_nowait((name, *values)))
        await socket.connect(80, "host.test")
        assert [await events.get() for _ in range(3)] == [("dns", HOST), ("connection",), ("receive", b"welcome")]
        assert await socket.getpeer() == (80, HOST)
        await socket.close()

    on_a_board(scenario)


def test_a_name_that_nobody_knows_is_none_after_its_time() -> None:
    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.zone["nobody.test"] = "nx"
        loop = asyncio.get_running_loop()
        answers: asyncio.Queue[tuple[object, object]] = asyncio.Queue()
        tcp, udp = await board.net.createConnection(), await board.net.createUDPSocket()
        for ask in (tcp.dns, udp.dns, board.net.dns.resolve):
            began = loop.time()
            await ask("nobody.test", lambda each, ip: answers.put_nowait((each, ip)))
            assert loop.time() - began < 1, "the answer is an event"
            answer = await answers.get()
            assert answer in ((tcp, None), (udp, None), (None, None))
            assert 6 < loop.time() - began < 9
        assert await board.net.dns.resolve("nobody.test") is None

    on_a_board(scenario)


def test_a_dns_server_that_was_set_is_asked() -> None:
    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        asked = network.udp("10.77.0.9", 53)
        await board.net.dns.setdnsserver("10.77.0.9", 0)
        assert await board.net.dns.getdnsserver(0) == "10.77.0.9"
        question = asyncio.ensure_future(board.net.dns.resolve("host.test"))
        data, (ip, _) = await asked.receive()
        assert b"\x04host\x04test\x00" in data and ip == "10.77.0.2"
        assert await question is None

    on_a_board(scenario)


def test_a_client_that_falls_silent_is_dropped_after_the_servers_timeout() -> None:
    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        loop = asyncio.get_running_loop()
        with pytest.warns(DeprecationWarning):
            older = await board.net.createServer(board.net.TCP, 20)
        for timeout, server in ((5, await board.net.createServer(5)), (20, older)):
            taken: asyncio.Future[TCPSocket] = loop.create_future()
            dropped: asyncio.Future[int] = loop.create_future()

            def take(
                connection: TCPSocket,
                taken: asyncio.Future[TCPSocket] = taken,
                dropped: asyncio.Future[int] = dropped,
            ) -> None:
                connection.on("disconnection", lambda _, code: dropped.set_result(code))
                taken.set_result(connection)

            await server.listen(8080, take)
            stream = await network.open_connection("10.77.0.2", 8080)
            await taken
            began = loop.time()
            stream.vanish()
            assert await dropped == -8
            # A probe after the timeout, and the end when it has not been answered for ten seconds; ticks of the stack
            # take 144.5 ms and not 125.
            assert timeout <= (loop.time() - began) * 125 / 144.5 - 10 <= timeout + 1
            await server.close()

    on_a_board(scenario)


def test_a_client_that_lives_is_not_dropped_for_its_silence() -> None:
    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        taken: asyncio.Future[TCPSocket] = asyncio.get_running_loop().create_future()
        server = await board.net.createServer(5)
        await server.listen(8080, taken.set_result)
        stream = await network.open_connection("10.77.0.2", 8080)
        connection = await taken
        await asyncio.sleep(60)
        await connection.send(b"still here")
        assert await stream.read_exactly(10) == b"still here"
        stream.close()

    on_a_board(scenario)
