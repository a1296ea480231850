"""Who asks the board for something first gets it first."""

from __future__ import annotations

import asyncio

from bridge.board import Board
from bridge.virtual.board import VirtualBoard
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.memstream import MemoryStream
from tests.mirror.test_on_a_board import HOST, on_a_board


def test_connections_begin_in_the_order_of_asking() -> None:
    """They do so one by one, as each may bring a window at once; those that wait must not overtake each other."""
    begun: list[int] = []

    async def server(stream: MemoryStream) -> None:
        await asyncio.Event().wait()

    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.serve(HOST, 80, server)
        sockets = [await board.net.createConnection() for _ in range(5)]

        async def connect(number: int) -> None:
            await sockets[number].connect(80, HOST)
            begun.append(number)

        await asyncio.gather(*(connect(number) for number in range(5)))
        assert begun == [0, 1, 2, 3, 4]
        for socket in sockets:
            await socket.close()

    on_a_board(scenario)
