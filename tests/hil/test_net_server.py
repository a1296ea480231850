"""TCP connections that the host opens to the board."""

from __future__ import annotations

import asyncio

from tests.hil.conftest import Board
from tests.hil.peers import PATIENCE


async def test_two_clients_are_served_at_once(board: Board, address: str) -> None:
    server = await board.net.createServer(30)

    async def answer(connection: object, data: bytes) -> None:
        await connection.send(b"you said " + data)  # type: ignore[attr-defined]

    await server.listen(lambda connection: connection.on("receive", answer))
    async with asyncio.timeout(PATIENCE):
        port, _ = await server.getaddr()
        clients = [await asyncio.open_connection(address, port) for _ in range(2)]
        for number, (_, writer) in enumerate(clients):
            writer.write(b"number %d" % number)
        answers = [await reader.readexactly(len("you said number 0")) for reader, _ in clients]
        assert answers == [b"you said number 0", b"you said number 1"]
        for _, writer in clients:
            writer.close()
            await writer.wait_closed()
        await server.close()
        await server.release()


async def test_the_board_ends_a_connection_after_its_last_byte(board: Board, address: str) -> None:
    body = b"0123456789" * 500
    server = await board.net.createServer(30)

    async def serve(connection: object) -> None:
        await connection.send(body)  # type: ignore[attr-defined]
        await connection.close()  # type: ignore[attr-defined]

    await server.listen(serve)
    async with asyncio.timeout(PATIENCE):
        port, _ = await server.getaddr()
        reader, writer = await asyncio.open_connection(address, port)
        assert await reader.read() == body
        writer.close()
        await writer.wait_closed()
        await server.close()
        await server.release()
