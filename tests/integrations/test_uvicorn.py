"""uvicorn on a virtual board that is served by RFC 2217, for real clients."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
import uvicorn

from bridge.integrations.uvicorn import Server
from tests.heap_baseline import heap_comes_back
from tests.integrations.rig import IDENTITY, LARGE, NAME, Bench, believing, run


class Application:
    """An ASGI application that says what it was asked."""

    def __init__(self) -> None:
        self.lifespan: list[str] = []
        self.begins = True
        self.busy = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while True:
                event = (await receive())["type"]
                self.lifespan.append(event)
                if not self.begins:
                    await send({"type": f"{event}.failed", "message": "not today"})
                    return
                await send({"type": f"{event}.complete"})
                if event == "lifespan.shutdown":
                    return
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            while (event := await receive())["type"] == "websocket.receive":
                await send({"type": "websocket.send", "text": f"you said {event['text']}"})
            return
        if scope["path"] == "/never":
            self.busy.set()
            await asyncio.Event().wait()
        body, more = b"", True
        while more:
            event = await receive()
            body, more = body + event.get("body", b""), event.get("more_body", False)
        answer = body or f"{scope['method']} {scope['path']} from {scope['client'][0]} at {scope['scheme']}".encode()
        headers = [(b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


def server_of(application: Application, there: Bench, port: int, **options: Any) -> Server:
    """A server of the application, not serving yet."""
    return Server(uvicorn.Config(application, log_config=None, **options), there.board, port)


async def started(server: Server, task: asyncio.Future[None]) -> None:
    """Wait until it serves."""
    async with asyncio.timeout(30):
        while not server.started:
            assert not task.done(), task
            await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(
    there: Bench, application: Application, port: int = 0, **options: Any
) -> AsyncIterator[tuple[str, Any]]:
    """An application on the board; gives its URL, and the task that serves it."""
    server = server_of(application, there, port, **options)
    task = asyncio.ensure_future(server.serve())
    try:
        await started(server, task)
        assert server.listener is not None
        scheme = "https" if "ssl_keyfile" in options else "http"
        yield f"{scheme}://{there.network}.2:{server.listener.sockets[0].getsockname()[1]}", task
    finally:
        server.should_exit = True
        await asyncio.wait([task])


def test_an_application_serves_what_arrives_at_the_board() -> None:
    async def scenario(there: Bench) -> None:
        application = Application()
        async with httpx.AsyncClient(timeout=60) as client:
            async with serving(there, application) as (url, task):
                assert (await client.get(f"{url}/hello")).text == "GET /hello from 127.0.0.1 at http"
                answers = await asyncio.gather(*(client.get(f"{url}/{number}") for number in range(4)))
                assert [answer.text.split()[1] for answer in answers] == [f"/{number}" for number in range(4)]
                assert (await client.post(url, content=LARGE[:20_000])).content == LARGE[:20_000]
            await task
        assert application.lifespan == ["lifespan.startup", "lifespan.shutdown"]

    run(scenario)


def test_the_heap_of_the_board_comes_back() -> None:
    async def scenario(there: Bench) -> None:
        async def once() -> None:
            async with serving(there, Application()) as (url, task), httpx.AsyncClient(timeout=60) as client:
                answers = await asyncio.gather(*(client.get(f"{url}/{number}") for number in range(3)))
                assert [answer.status_code for answer in answers] == [200] * 3
            await task

        await heap_comes_back(there.board, once)

    run(scenario)


def test_a_web_socket() -> None:
    async def scenario(there: Bench) -> None:
        async with (
            serving(there, Application()) as (url, _),
            aiohttp.ClientSession() as client,
            client.ws_connect(url) as socket,
        ):
            for word in ("one", "two"):
                await socket.send_str(word)
                assert await socket.receive_str(timeout=30) == f"you said {word}"

    run(scenario)


def test_where_it_listens_is_said(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(there: Bench) -> None:
        async with serving(there, Application(), 8080):
            pass

    with caplog.at_level(logging.INFO):
        run(scenario)
    assert "Uvicorn running on http://0.0.0.0:8080 of the board" in caplog.text


def test_who_wants_the_end_at_once_waits_for_no_request(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(there: Bench) -> None:
        application = Application()
        server = server_of(application, there, 8080, lifespan="off")  # whose task uvicorn leaves behind
        task = asyncio.ensure_future(server.serve())
        await started(server, task)
        async with httpx.AsyncClient(timeout=60) as client:
            request = asyncio.ensure_future(client.get(f"http://{there.network}.2:8080/never"))
            await application.busy.wait()
            server.should_exit = server.force_exit = True  # as Ctrl-C does when it is pressed twice
            async with asyncio.timeout(20):
                await task
                with pytest.raises(httpx.TransportError):
                    await request

    run(scenario)


def test_encrypted_on_the_host(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(IDENTITY.key)
    (tmp_path / "certificate.pem").write_bytes(IDENTITY.certificate)

    async def scenario(there: Bench) -> None:
        options = {"ssl_keyfile": str(tmp_path / "key.pem"), "ssl_certfile": str(tmp_path / "certificate.pem")}
        async with (
            serving(there, Application(), **options) as (url, _),
            httpx.AsyncClient(verify=believing()) as client,
        ):
            answer = await client.get(f"{url}/hello", extensions={"sni_hostname": NAME}, timeout=60)
            assert answer.text.endswith("at https")

    run(scenario)


def test_a_port_that_is_taken() -> None:
    async def scenario(there: Bench) -> None:
        application = Application()
        async with await there.board.start_server(lambda *_: None, 8080):
            with pytest.raises(OSError, match="8080"):
                await Server(uvicorn.Config(application, log_config=None), there.board, 8080).serve()
        assert application.lifespan == ["lifespan.startup", "lifespan.shutdown"]

    run(scenario)


def test_an_application_that_does_not_begin_ends_the_program_as_in_uvicorn(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(there: Bench) -> None:
        application = Application()
        application.begins = False
        server = Server(uvicorn.Config(application, log_config=None), there.board, 8080)
        with pytest.raises(SystemExit) as caught:
            await server.serve()
        assert caught.value.code == 3 and server.listener is None

    with caplog.at_level(logging.ERROR):
        run(scenario)
    assert "not today" in caplog.text


def test_a_board_that_restarts_ends_the_service() -> None:
    async def scenario(there: Bench) -> None:
        application = Application()
        async with httpx.AsyncClient(timeout=60) as client, serving(there, application, 8080) as (url, task):
            assert (await client.get(url)).status_code == 200
            await there.board.reset()
            with pytest.raises(ConnectionResetError):
                await task
        assert application.lifespan == ["lifespan.startup", "lifespan.shutdown"]

    run(scenario)


def test_who_is_cancelled_ends_in_order() -> None:
    async def scenario(there: Bench) -> None:
        application = Application()
        async with httpx.AsyncClient(timeout=60) as client, serving(there, application, 8080) as (url, task):
            assert (await client.get(url)).status_code == 200
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert application.lifespan == ["lifespan.startup", "lifespan.shutdown"]

    run(scenario)
