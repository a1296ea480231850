"""The Python of the guide to libraries over the board does what it says."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import anyio
import httpx
import pytest

from tests.integrations.rig import NAME, Bench, run, web_server
from tests.integrations.test_anyio import echo, port_of
from tests.integrations.test_uvicorn import Application
from tests.test_docs import python_blocks
from tests.test_docs_programs import play
from tests.test_layers import ROOT

WITH_HTTPX, WITH_AIOHTTP, WITH_ANYIO, SERVE, SERVE_ASGI = python_blocks(ROOT / "docs" / "guides" / "http.md")


@pytest.mark.parametrize("program", [WITH_HTTPX, WITH_AIOHTTP], ids=["httpx", "aiohttp"])
def test_a_page_is_fetched(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as server:
            await play(program.replace("http://example.com/", server.url()), board=there.board)
            size = len(f"asked for / of {NAME}:{server.server_port}")
            assert capsys.readouterr().out == f"200 {size}\n"

    run(scenario)


def test_streams_and_listeners(capsys: pytest.CaptureFixture[str]) -> None:
    async def scenario(there: Bench) -> None:
        async with (
            await anyio.create_tcp_listener(local_host=there.host) as listener,
            anyio.create_task_group() as group,
        ):
            group.start_soon(listener.serve, echo)
            await play(WITH_ANYIO.replace('"example.com", 7', f'"{NAME}", {port_of(listener)}'), board=there.board)
            group.cancel_scope.cancel()
        assert capsys.readouterr().out == "b'hello'\n"

    run(scenario)


@pytest.mark.parametrize("program", [SERVE, SERVE_ASGI], ids=["aiohttp", "uvicorn"])
def test_an_application_is_served(program: str) -> None:
    async def scenario(there: Bench) -> None:
        names = {"board": there.board, "application": Application()}
        task = asyncio.ensure_future(play(program.replace(" 80)", " 8080)"), **names))
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=5), timeout=30) as client:
            answer = await client.get(f"http://{there.network}.2:8080/")
            assert "Hello from the board" in answer.text or "GET / from" in answer.text
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    run(scenario)
