"""The board's network, with peers on this computer."""

import asyncio

import pytest


@pytest.mark.parametrize("size", [1, 10, 100, 500, 2000])
async def test_an_echo_comes_back(board, size):
    async def echo(reader, writer):
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    tcp_port = server.sockets[0].getsockname()[1]
    reader, writer = await board.open_connection("127.0.0.1", tcp_port)
    data = bytes(number % 256 for number in range(size))
    writer.write(data)
    assert await reader.readexactly(size) == data
    writer.close()
    await writer.wait_closed()
    server.close()


@pytest.mark.parametrize("words", ["hello", "two words", "", "ümlaut"])
async def test_the_board_serves(board, words):
    async def greet(reader, writer):
        writer.write(f"{words}\n".encode())
        await writer.drain()
        writer.close()

    server = await board.start_server(greet, 8080)
    address = (await board.net.ifinfo())["ip"]
    reader, writer = await asyncio.open_connection(address, 8080)
    assert (await reader.readline()).decode() == f"{words}\n"
    writer.close()
    server.close()
    await server.wait_closed()


async def test_the_board_has_an_address(board):
    assert (await board.net.ifinfo())["ip"].startswith("127.")


async def test_nobody_listens(board):
    with pytest.raises(OSError):
        await board.open_connection("127.0.0.1", 1)
