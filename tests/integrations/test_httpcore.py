"""httpcore's pool and streams over a virtual board, against real servers on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Any

import httpcore
import pytest

from bridge.errors import UsageError
from bridge.integrations.httpcore import BoardBackend, BoardPool
from tests.integrations.rig import LARGE, NAME, OF_BOARD, Bench, believing, encrypted, run, web_server
from tests.virtual.modules.tls_bench import server_context


def test_a_pool_fetches_and_keeps_its_connections() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as server:
            async with BoardPool(there.board) as pool:
                url = f"http://{NAME}:{server.server_port}"
                for path in ("/one", "/two"):
                    response = await pool.request("GET", url + path)
                    assert response.status == 200 and f"asked for {path}".encode() in response.content
                assert server.accepted == 1 and there.connections == 1
                sent = LARGE[:40_000]
                assert (await pool.request("POST", url, content=sent)).content == sent

    run(scenario)


def test_a_stream_by_hand() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host, context=encrypted()) as server:
            stream = await BoardBackend(there.board).connect_tcp(NAME, server.server_port)
            assert stream.get_extra_info("server_addr") == (there.host, server.server_port)
            assert stream.get_extra_info("client_addr")[0] == f"{there.network}.2"
            assert stream.get_extra_info("socket") is None and stream.get_extra_info("ssl_object") is None
            stream = await stream.start_tls(believing(), NAME)
            assert stream.get_extra_info("ssl_object").version() == "TLSv1.3"
            await stream.write(b"GET /close HTTP/1.1\r\nHost: a\r\n\r\n")
            answer = b""
            while data := await stream.read(1000):
                answer += data
            assert answer.endswith(b"the last one") and stream.get_extra_info("is_readable")
            await stream.aclose()
            assert server.names == [NAME]

    run(scenario)


def test_an_idle_connection_that_the_server_closed_is_not_used_again() -> None:
    async def scenario(there: Bench) -> None:
        clients: list[asyncio.StreamWriter] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            clients.append(writer)
            with contextlib.suppress(asyncio.IncompleteReadError):
                while await reader.readuntil(b"\r\n\r\n"):
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        async with await asyncio.start_server(serve, there.host) as server, BoardPool(there.board) as pool:
            url = f"http://{NAME}:{server.sockets[0].getsockname()[1]}/"
            assert (await pool.request("GET", url)).content == b"ok"
            clients[0].close()
            await there.settled(there.handles)  # the board has heard it
            assert (await pool.request("GET", url)).content == b"ok"
            assert len(clients) == 2
            clients[1].close()

    run(scenario)


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "encrypted"])
def test_an_answer_to_nothing_is_not_taken_for_that_of_the_next_request(secure: bool) -> None:
    async def scenario(there: Bench) -> None:
        clients: list[asyncio.StreamWriter] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            clients.append(writer)
            with contextlib.suppress(asyncio.IncompleteReadError, OSError):
                while await reader.readuntil(b"\r\n\r\n"):
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        context = encrypted() if secure else None
        async with (
            await asyncio.start_server(serve, there.host, ssl=context) as server,
            BoardPool(there.board, ssl_context=believing()) as pool,
        ):
            url = f"http{'s' * secure}://{NAME}:{server.sockets[0].getsockname()[1]}/"
            answer = await pool.request("GET", url)
            stream = answer.extensions["network_stream"]
            assert not stream.get_extra_info("is_readable")
            # Servers do so with clients that are silent, and close some time later.
            clients[0].write(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 4\r\n\r\nlate")
            while not stream.get_extra_info("is_readable"):
                await there.board.node.heap()
            answer = await pool.request("GET", url)
            assert (answer.status, answer.content, len(clients)) == (200, b"ok", 2)
            for client in clients:
                client.close()

    run(scenario)


def test_idle_connections_are_not_kept_from_others() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as server:
            url = f"http://{NAME}:{server.server_port}"
            async with BoardPool(there.board, keepalive_expiry=0.3) as pool:
                await asyncio.gather(*(pool.request("GET", url) for _ in range(5)))
                slow = asyncio.ensure_future(pool.request("GET", f"{url}/silent"))
                await server.waiting(1)
                # All but the one that is in use go, with no further request; then that one as well.
                slots = [await there.board._slots.acquire(20, "") for _ in range(4)]
                for slot in slots:
                    slot.release()
                assert not slow.done()
                server.leave.set()
                with pytest.raises(httpcore.RemoteProtocolError):
                    await slow
                assert (await pool.request("GET", url)).status == 200
                await there.settled(there.handles)
                assert (await pool.request("GET", url)).status == 200

    run(scenario)


def test_timeouts_have_their_names() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as server:
            stream = await BoardBackend(there.board).connect_tcp(there.host, server.server_port)
            with pytest.raises(httpcore.ReadTimeout):
                await stream.read(1, timeout=0.05)
            await stream.write(b"GET /still-good HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await stream.read(4, timeout=30)) == b"HTTP"
            await stream.aclose()
        leave = asyncio.Event()

        async def take_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await leave.wait()
            writer.transport.abort()

        async with await asyncio.start_server(take_nothing, there.host) as listener:
            port = listener.sockets[0].getsockname()[1]
            stream = await BoardBackend(there.board).connect_tcp(there.host, port)
            with pytest.raises(httpcore.WriteTimeout):
                await stream.write(bytes(8_000_000), timeout=0.2)
            await stream.aclose()
            # Nobody shakes hands there.
            stream = await BoardBackend(there.board).connect_tcp(there.host, port)
            with pytest.raises(httpcore.ConnectTimeout):
                await stream.start_tls(believing(), NAME, timeout=0.2)
            leave.set()

    run(scenario)


def test_a_certificate_that_is_not_believed() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host, context=encrypted()) as server:
            stream = await BoardBackend(there.board).connect_tcp(there.host, server.server_port)
            with pytest.raises(httpcore.ConnectError, match="certificate verify failed"):
                await stream.start_tls(ssl.create_default_context(), NAME)

    run(scenario)


def test_the_board_encrypts_what_is_https_and_no_other() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as plain, web_server(there.host, context=server_context(OF_BOARD)) as secret:
            async with BoardPool(there.board, tls="board") as pool:
                for scheme, server in (("http", plain), ("https", secret), ("http", plain)):
                    response = await pool.request("GET", f"{scheme}://{NAME}:{server.server_port}/it")
                    assert b"asked for /it" in response.content
                    assert there.connections == 1, "the heap holds no more"
            assert secret.names == [None], "it was not the host"

    run(scenario)


def test_connections_that_the_board_encrypts_are_tried_as_often_as_others() -> None:
    class Failing(BoardBackend):
        tried = 0

        async def connect_tcp(self, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
            Failing.tried += 1
            raise httpcore.ConnectError("never")

        async def sleep(self, seconds: float) -> None:
            pass

    async def scenario(there: Bench) -> None:
        async with BoardPool(there.board, tls="board", retries=2) as pool:
            pool._by_board = Failing(there.board, tls="board")
            with pytest.raises(httpcore.ConnectError):
                await pool.request("GET", "https://server.test/")
            assert Failing.tried == 3

    run(scenario)


def test_the_board_does_not_go_around_a_proxy() -> None:
    board: Any = None
    with pytest.raises(UsageError, match="through a proxy"):
        BoardPool(board, tls="board", proxy=httpcore.Proxy("http://proxy.test"))


def test_what_is_no_way_to_encrypt() -> None:
    nobody: Any = "nobody"
    board: Any = None
    with pytest.raises(UsageError, match="tls='nobody'"):
        BoardBackend(board, tls=nobody)
