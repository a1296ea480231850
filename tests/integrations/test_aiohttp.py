"""aiohttp over a virtual board that is served by RFC 2217: its client against real servers on loopback, and its server
for real clients."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import aiohttp
import httpx
import pytest
from aiohttp import web

from bridge.errors import BoardReset, ConnectionReset, DNSFailed, UsageError
from bridge.integrations.aiohttp import BoardConnector, serve
from bridge.streams import BoardServer
from tests.heap_baseline import heap_comes_back
from tests.integrations.rig import (
    IDENTITY,
    LARGE,
    NAME,
    OF_BOARD,
    Bench,
    believing,
    encrypted,
    run,
    tapped,
    unused,
    web_server,
)
from tests.programs import require
from tests.virtual.modules.tls_bench import server_context


@asynccontextmanager
async def session(there: Bench, **options: object) -> AsyncIterator[aiohttp.ClientSession]:
    connector = BoardConnector(there.board, **options)  # type: ignore[arg-type]
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(60)) as made:
        yield made


async def fetch(client: aiohttp.ClientSession, url: str) -> bytes:
    async with client.get(url) as response:
        assert response.status == 200
        return await response.read()


def test_plain_http() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as server:
            async with session(there) as client:
                assert (
                    await fetch(client, server.url(path="/here"))
                    == f"asked for /here of {NAME}:{server.server_port}".encode()
                )
                assert await fetch(client, server.url(path="/large")) == LARGE
                async with client.post(server.url(), data=b"what is sent") as response:
                    assert await response.read() == b"what is sent"
            assert server.accepted == 1 and server.clients == {f"{there.network}.2"}

    run(scenario)


def test_tls_of_the_host_names_the_server_and_takes_records_of_any_size() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host, context=encrypted()) as server:
            async with tapped(there.host, server.server_port) as tap, session(there, ssl=believing()) as client:
                assert await fetch(client, f"https://{NAME}:{tap.port}/large") == LARGE
            assert server.names == [NAME]
            assert tap.records().count(2**14 + 17) >= 12, "16 KiB of data in each, and a tag"

    run(scenario)


def test_tls_of_the_host_believes_no_stranger_and_no_other_name() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host, context=encrypted()) as server:
            async with session(there) as client:
                with pytest.raises(aiohttp.ClientConnectorCertificateError):
                    await fetch(client, server.url("https"))
                async with client.get(server.url("https"), ssl=False) as response:
                    assert response.status == 200
            async with session(there, ssl=believing()) as client:
                with pytest.raises(aiohttp.ClientConnectorCertificateError, match="not valid for"):
                    await fetch(client, f"https://{there.host}:{server.server_port}")
        with web_server(there.host) as plain:
            async with session(there, ssl=believing()) as client:
                with pytest.raises(aiohttp.ClientConnectorSSLError):
                    await fetch(client, plain.url("https"))

    run(scenario)


def test_a_certificate_may_be_known_by_its_fingerprint() -> None:
    right = hashlib.sha256(ssl.PEM_cert_to_DER_cert(IDENTITY.certificate.decode())).digest()

    async def scenario(there: Bench) -> None:
        with web_server(there.host, context=encrypted()) as server:
            url = server.url("https")
            async with session(there) as client:
                async with client.get(url, ssl=aiohttp.Fingerprint(right)) as response:
                    assert response.status == 200
                with pytest.raises(aiohttp.ServerFingerprintMismatch) as caught:
                    await client.get(url, ssl=aiohttp.Fingerprint(bytes(32)))
                assert (caught.value.host, caught.value.got) == (there.host, right)
            async with session(there, ssl=aiohttp.Fingerprint(bytes(32))) as client:
                with pytest.raises(aiohttp.ServerFingerprintMismatch):
                    await client.get(url)
            async with session(there, tls="board") as client:
                with pytest.raises(UsageError, match="fingerprint"):
                    await client.get(url, ssl=aiohttp.Fingerprint(right))

    run(scenario)


def test_tls_of_the_board() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as plain, web_server(there.host, context=server_context(OF_BOARD)) as server:
            async with session(there, tls="board") as client:
                urls = [
                    each.url(scheme, f"/{n}") for n in range(2) for scheme, each in (("https", server), ("http", plain))
                ]
                answers = await asyncio.gather(*(fetch(client, url) for url in urls))
                assert [answer[:12] for answer in answers] == [
                    b"asked for /0",
                    b"asked for /0",
                    b"asked for /1",
                    b"asked for /1",
                ]
                assert there.connections == 1, "the heap holds no more"
            assert set(server.names) == {None}

    run(scenario)


def test_more_requests_than_connections_wait_for_their_turn() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as server:
            server.gate.clear()
            async with session(there) as client:
                tasks = [asyncio.ensure_future(fetch(client, server.url(path=f"/{number}"))) for number in range(20)]
                await server.waiting(5)
                assert there.connections == 5 and not any(task.done() for task in tasks)
                server.gate.set()
                answers = await asyncio.gather(*tasks)
                assert [answer.split()[2] for answer in answers] == [f"/{number}".encode() for number in range(20)]
            assert server.accepted == 5 and server.most == 5

    run(scenario)


def test_idle_connections_with_one_server_give_way_to_another() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as first, web_server(there.host) as second:
            # Who waits until idle connections have had their time waits longer than this.
            timeout = aiohttp.ClientTimeout(sock_connect=8)
            connector = BoardConnector(there.board, keepalive_timeout=30)
            async with aiohttp.ClientSession(connector=connector, timeout=timeout) as client:
                for server in (first, second, first):
                    answers = await asyncio.gather(*(fetch(client, server.url()) for _ in range(7)))
                    assert len(answers) == 7 and there.connections <= 5

    run(scenario)


def test_idle_connections_are_not_kept_from_others() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as server:
            async with session(there, keepalive_timeout=0.3) as client:
                await asyncio.gather(*(fetch(client, server.url()) for _ in range(5)))
                await there.settled(there.handles)
                assert await fetch(client, server.url())

    run(scenario)


def test_a_refused_port() -> None:
    async def scenario(there: Bench) -> None:
        async with session(there) as client:
            with pytest.raises(aiohttp.ClientConnectorError, match="refuses the connection") as caught:
                await fetch(client, f"http://{there.host}:{unused(there.host)}/")
            assert caught.value.os_error.errno == errno.ECONNREFUSED

    run(scenario)


@pytest.mark.parametrize("name", ["nobody.test", "[::1]"])
def test_a_name_that_nobody_knows(name: str) -> None:
    async def scenario(there: Bench) -> None:
        async with session(there) as client:
            with pytest.raises(aiohttp.ClientConnectorDNSError) as caught:
                await fetch(client, f"http://{name}/")
            assert isinstance(caught.value.os_error, DNSFailed)

    run(scenario)


def test_servers_that_break_off_in_the_middle_of_the_body() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as server:
            async with session(there) as client:
                for path in ("/reset", "/short"):
                    with pytest.raises(aiohttp.ClientPayloadError):
                        await fetch(client, server.url(path=path))
                assert await fetch(client, server.url())

    run(scenario)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("path", ["/silent", "/slow"])
def test_a_server_that_says_nothing_more(path: str, scheme: str) -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host, context=encrypted() if scheme == "https" else None) as server:
            async with session(there, ssl=believing()) as client:
                with pytest.raises(aiohttp.SocketTimeoutError):
                    async with client.get(
                        server.url(scheme, path), timeout=aiohttp.ClientTimeout(sock_read=0.3)
                    ) as answer:
                        await answer.read()
                assert await fetch(client, server.url(scheme, "/again"))

    run(scenario)


def test_an_address_where_nobody_answers() -> None:
    async def scenario(there: Bench) -> None:
        async with session(there) as client:
            with pytest.raises(aiohttp.ConnectionTimeoutError):
                await client.get("http://198.51.100.1/", timeout=aiohttp.ClientTimeout(sock_connect=0.5))

    run(scenario)


def test_a_firmware_without_tls_says_what_to_do() -> None:
    async def scenario(there: Bench) -> None:
        async with session(there, tls="board") as client:
            with pytest.raises(aiohttp.ClientConnectorError, match="no module tls. Flash an image"):
                await fetch(client, f"https://{there.host}/")

    run(scenario, modules="file,net,node,ow,tmr,uart,wifi")


def test_a_request_that_is_cancelled_leaves_nothing() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as server:
            async with session(there) as client:
                task = asyncio.ensure_future(fetch(client, server.url(path="/silent")))
                await server.waiting(1)
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
                await there.settled(there.handles)
                assert await fetch(client, server.url())

    run(scenario)


def test_a_board_that_restarts_in_the_middle() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as server:
            async with session(there) as client:
                # aiohttp asks once more for what a GET did not get.
                tasks = [asyncio.ensure_future(client.post(server.url(path="/silent"))) for _ in range(2)]
                await server.waiting(2)
                await there.board.reset()
                for failed in await asyncio.gather(*tasks, return_exceptions=True):
                    assert isinstance(failed, aiohttp.ClientOSError), repr(failed)
                    assert "The board restarted" in str(failed)
                    assert isinstance(failed.__cause__, ConnectionReset)
                    assert isinstance(failed.__cause__.__cause__, BoardReset)
                assert await fetch(client, server.url())

    run(scenario)


# The server.


def application() -> web.Application:
    async def greet(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.method} {request.path} from {request.remote}")

    async def echo(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    async def large(request: web.Request) -> web.Response:
        return web.Response(body=LARGE[:60_000])

    async def converse(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(f"you said {message.data}")
        return socket

    made = web.Application()
    made.add_routes(
        [web.get("/large", large), web.get("/socket", converse), web.post("/", echo), web.get("/{path:.*}", greet)]
    )
    return made


@asynccontextmanager
async def serving(there: Bench, **options: object) -> AsyncIterator[str]:
    """The application on the board; gives its URL."""
    started: asyncio.Future[BoardServer] = asyncio.get_running_loop().create_future()
    task = asyncio.ensure_future(
        serve(there.board, application(), 0, started=started.set_result, **options)  # type: ignore[arg-type]
    )
    try:
        await asyncio.wait([task, started], return_when=asyncio.FIRST_COMPLETED)
        port = started.result().sockets[0].getsockname()[1]
        yield f"{'https' if 'ssl' in options else 'http'}://{there.network}.2:{port}"
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def test_an_application_serves_what_arrives_at_the_board() -> None:
    async def scenario(there: Bench) -> None:
        async with serving(there) as url, httpx.AsyncClient(timeout=60) as client:
            assert (await client.get(f"{url}/hello")).text == "GET /hello from 127.0.0.1"
            assert (await client.get(f"{url}/large")).content == LARGE[:60_000]
            sent = LARGE[:20_000]
            assert (await client.post(url, content=sent)).content == sent

    run(scenario)


def test_the_heap_of_the_board_comes_back() -> None:
    async def scenario(there: Bench) -> None:
        async def once() -> None:
            async with session(there) as client:
                assert b"asked for /" in await fetch(client, server.url())
            async with serving(there) as url, httpx.AsyncClient(timeout=60) as other:
                assert (await other.post(url, content=LARGE[:5_000])).content == LARGE[:5_000]

        with web_server(there.host) as server:
            await heap_comes_back(there.board, once)

    run(scenario)


def test_an_application_for_curl() -> None:
    curl = require("curl")

    async def scenario(there: Bench) -> None:
        async with serving(there) as url:
            answer = await asyncio.to_thread(
                subprocess.run, [curl, "-sS", f"{url}/one", f"{url}/two"], capture_output=True, timeout=60, check=True
            )
            assert answer.stdout.count(b"GET /") == 2

    run(scenario)


def test_an_application_that_is_encrypted_on_the_host() -> None:
    async def scenario(there: Bench) -> None:
        async with serving(there, ssl=encrypted()) as url, aiohttp.ClientSession() as client:
            async with client.get(f"{url}/hello", ssl=believing(), server_hostname=NAME) as response:
                assert (await response.text()).startswith("GET /hello from")

    run(scenario)


def test_a_web_socket() -> None:
    async def scenario(there: Bench) -> None:
        async with (
            serving(there) as url,
            aiohttp.ClientSession() as client,
            client.ws_connect(f"{url}/socket") as socket,
        ):
            for word in ("one", "two"):
                await socket.send_str(word)
                assert await socket.receive_str(timeout=30) == f"you said {word}"

    run(scenario)


def test_idle_clients_do_not_hold_up_the_end() -> None:
    async def scenario(there: Bench) -> None:
        async with aiohttp.ClientSession() as client:
            async with serving(there) as url:
                assert await fetch(client, f"{url}/kept")
                assert there.connections == 1
            with pytest.raises(aiohttp.ClientConnectionError):
                await fetch(client, f"{url}/late")

    run(scenario)


def test_a_port_that_is_taken() -> None:
    async def scenario(there: Bench) -> None:
        async with await there.board.start_server(lambda *_: None, 8080):
            with pytest.raises(OSError, match="8080"):
                await serve(there.board, application(), 8080)

    run(scenario)


def test_an_application_begins_and_ends_once() -> None:
    happened: list[str] = []

    async def begin(_: web.Application) -> None:
        happened.append("begins")

    async def end(_: web.Application) -> None:
        happened.append("ends")

    async def context(_: web.Application) -> AsyncIterator[None]:
        happened.append("enters")
        yield
        happened.append("leaves")

    async def fail(_: web.Application) -> None:
        raise LookupError("not today")

    def made(*more: Callable[[web.Application], Awaitable[None]]) -> web.Application:
        happened.clear()
        made = application()
        made.cleanup_ctx.append(context)
        made.on_startup.extend([begin, *more])
        made.on_cleanup.append(end)
        return made

    async def scenario(there: Bench) -> None:
        started: asyncio.Future[BoardServer] = asyncio.get_running_loop().create_future()
        task = asyncio.ensure_future(serve(there.board, made(), 8080, started=started.set_result))
        await started
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert happened == ["enters", "begins", "leaves", "ends"]
        async with await there.board.start_server(lambda *_: None, 8080):
            with pytest.raises(OSError, match="8080"):
                await serve(there.board, made(), 8080)
        assert happened == ["enters", "begins", "leaves", "ends"]
        with pytest.raises(LookupError):
            await serve(there.board, made(fail), 8080)
        assert happened == ["enters", "begins", "leaves"], "as in aiohttp, whose application has not begun"

    run(scenario)


def test_a_board_that_restarts_ends_the_service() -> None:
    async def scenario(there: Bench) -> None:
        started: asyncio.Future[BoardServer] = asyncio.get_running_loop().create_future()
        task = asyncio.ensure_future(serve(there.board, application(), 8080, started=started.set_result))
        await started
        async with aiohttp.ClientSession() as client:
            assert await fetch(client, f"http://{there.network}.2:8080/")
            await there.board.reset()
            with pytest.raises(ConnectionResetError):
                await task

    run(scenario)
