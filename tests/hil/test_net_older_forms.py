"""The older forms that the documentation still shows: each gives what it says, on any firmware."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from bridge.errors import UsageError
from bridge.mirror.tcp import TCPServer, TCPSocket
from bridge.mirror.tls import TLSSocket
from bridge.mirror.udp import UDPSocket
from tests.hil.conftest import Board
from tests.hil.peers import PATIENCE, echo, tcp_server, tls_server, udp_socket
from tests.hil.test_tls_socket import listen_to
from tests.virtual.modules.tls_bench import issue, server_context


async def test_the_constants_are_the_boards(board: Board) -> None:
    assert (board.net.TCP, board.net.UDP) == await board.eval("net.TCP, net.UDP")


async def test_a_connection_of_type_tcp_that_is_not_secure(board: Board, host: str) -> None:
    async with asyncio.timeout(PATIENCE), tcp_server(host, echo) as port:
        for socket in (await board.net.createConnection(board.net.TCP), await board.net.createConnection(1, 0)):
            assert isinstance(socket, TCPSocket)
            received: asyncio.Queue[bytes] = asyncio.Queue()
            socket.on("connection", lambda each: each.send(b"in the clear"))
            socket.on("receive", lambda _, data, received=received: received.put_nowait(data))
            await socket.connect(port, host)
            assert await received.get() == b"in the clear"
            await socket.close()
            await socket.release()


@pytest.mark.needs("tls")
@pytest.mark.needs_heap(30_000)
async def test_a_connection_of_type_tcp_that_is_secure(board: Board, host: str) -> None:
    ciphers: asyncio.Queue[str] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session: ssl.SSLObject = writer.get_extra_info("ssl_object")
        ciphers.put_nowait(str(session.version()))
        await echo(reader, writer)

    async with asyncio.timeout(2 * PATIENCE), tls_server(host, server_context(issue("server")), serve) as port:
        with pytest.warns(DeprecationWarning, match=r"tls\.createConnection"):
            socket = await board.net.createConnection(board.net.TCP, 1)
        assert isinstance(socket, TLSSocket)
        events = listen_to(socket, "connection", "receive")
        await socket.connect(port, host)
        assert await events.get() == ("connection",)
        assert await ciphers.get() == "TLSv1.2"
        await socket.send(b"not in the clear")
        assert await events.get() == ("receive", b"not in the clear")
        await socket.close()
        await socket.release()


@pytest.mark.parametrize("function", ["createConnection", "createServer"])
async def test_what_is_of_type_udp_is_a_udp_socket(board: Board, host: str, address: str, function: str) -> None:
    received: asyncio.Queue[tuple[bytes, int, str]] = asyncio.Queue()
    async with asyncio.timeout(PATIENCE), udp_socket(host) as peer:
        with pytest.warns(DeprecationWarning, match="createUDPSocket"):
            if function == "createServer":
                socket = await board.net.createServer(board.net.UDP)
            else:
                socket = await board.net.createConnection(board.net.UDP)
        assert isinstance(socket, UDPSocket)
        socket.on("receive", lambda _, data, port, ip: received.put_nowait((data, port, ip)))
        await socket.listen()
        port, _ = await socket.getaddr()
        peer.send(b"one", (address, port))
        assert await received.get() == (b"one", peer.port, host)
        await socket.close()
        await socket.release()


async def test_a_server_of_type_tcp(board: Board, address: str) -> None:
    async with asyncio.timeout(PATIENCE):
        for arguments in ((), (60,)):
            with pytest.warns(DeprecationWarning, match="createServer"):
                server = await board.net.createServer(board.net.TCP, *arguments)
            assert isinstance(server, TCPServer)
            await server.listen(lambda connection: connection.send(b"hello"))
            port, _ = await server.getaddr()
            reader, writer = await asyncio.open_connection(address, port)
            assert await reader.readexactly(5) == b"hello"
            writer.close()
            await writer.wait_closed()
            await server.close()
            await server.release()


async def test_what_the_documentation_does_not_have_is_refused(board: Board) -> None:
    for wrong in ((3,), ("tcp",), (board.net.TCP, 2), (board.net.UDP, 1)):
        with pytest.raises(UsageError):
            await board.net.createConnection(*wrong)
    for wrong in ((board.net.TCP, 0), (board.net.TCP, 28_801), (board.net.UDP, "x")):
        with pytest.raises(UsageError):
            await board.net.createServer(*wrong)
