"""TCP connections that the host opens to the board."""

from __future__ import annotations

import asyncio

import pytest

from bridge.errors import LuaError
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


async def test_a_closed_server_refuses_and_lets_what_stands_go_on(board: Board, address: str) -> None:
    server = await board.net.createServer()
    assert await server.getaddr() == (None, None)

    async def answer(connection: object, data: bytes) -> None:
        await connection.send(data)  # type: ignore[attr-defined]

    await server.listen(0, lambda connection: connection.on("receive", answer))
    async with asyncio.timeout(PATIENCE):
        port, ip = await server.getaddr()
        assert port is not None and port > 0 and ip == "0.0.0.0"
        reader, writer = await asyncio.open_connection(address, port)
        writer.write(b"before")
        assert await reader.readexactly(6) == b"before"
        await server.close()
        assert await server.getaddr() == (None, None)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(address, port)
        writer.write(b"after")
        assert await reader.readexactly(5) == b"after"
        with pytest.raises(LuaError, match="not connected"):
            await server.close()
        writer.close()
        await writer.wait_closed()
        await server.release()


async def test_listen_takes_a_port_and_an_address(board: Board, address: str) -> None:
    """The four ways to write it, on one port after the other."""
    async with asyncio.timeout(PATIENCE):
        chosen = None
        for number, place in enumerate(((), (0,), ("again",), ("again", address))):
            server = await board.net.createServer(30)

            async def greet(connection: object, number: int = number) -> None:
                await connection.send(b"%d" % number)  # type: ignore[attr-defined]

            # A port that is free comes from the board itself.
            arguments = [chosen + number if each == "again" else each for each in place]
            await server.listen(*arguments, greet)
            port, ip = await server.getaddr()
            if "again" in place:
                assert port == chosen + number
            else:
                chosen = port
            assert ip == (address if address in place else "0.0.0.0")
            reader, writer = await asyncio.open_connection(address, port)
            assert await reader.readexactly(1) == b"%d" % number
            with pytest.raises(LuaError, match="already listening"):
                await server.listen(*arguments, greet)
            writer.close()
            await writer.wait_closed()
            await server.close()
            await server.release()
