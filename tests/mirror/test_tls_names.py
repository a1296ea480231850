"""Names on the way to an encrypted connection: on a virtual board, network and clock."""

from __future__ import annotations

import asyncio

from bridge.board import Board
from bridge.virtual.board import VirtualBoard
from bridge.virtual.lwip.memnet import MemoryNetwork
from tests.mirror.test_on_a_board import HOST, on_a_board
from tests.virtual.modules.tls_bench import echo, issue, secure, server_context


def test_a_name_is_looked_up_on_the_way_to_a_tls_connection() -> None:
    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.zone["host.test"] = HOST
        network.serve(HOST, 443, secure(server_context(issue("server")), echo))
        events: asyncio.Queue[tuple[object, ...]] = asyncio.Queue()
        socket = await board.tls.createConnection()
        for name in ("dns", "connection", "receive"):
            socket.on(name, lambda _, *values, name=name: events.put_nowait((name, *values)))
        await socket.connect(443, "host.test")
        assert [await events.get() for _ in range(2)] == [("dns", HOST), ("connection",)]
        await socket.send(b"there and back")
        assert await events.get() == ("receive", b"there and back")
        await socket.close()

    on_a_board(scenario)


def test_a_tls_name_that_nobody_knows_is_none() -> None:
    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.zone["nobody.test"] = "nx"
        found: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        others: list[str] = []
        socket = await board.tls.createConnection()
        socket.on("dns", lambda _, ip: found.set_result(ip))
        for name in ("connection", "reconnection", "disconnection"):
            socket.on(name, lambda _, *values, name=name: others.append(name))
        await socket.connect(443, "nobody.test")
        assert await found is None
        await asyncio.sleep(90)
        assert others == [], "no other event comes"

    on_a_board(scenario)
