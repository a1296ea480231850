"""A client's connection: work for it ends when it goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bridge.proxy.client import LIMIT, Client, ClientGone
from bridge.streams.local import Local
from tests.proxy.rig import until


@asynccontextmanager
async def joined() -> AsyncIterator[tuple[Client, asyncio.StreamReader, asyncio.StreamWriter]]:
    """A client, and the program's end of its connection."""
    met: asyncio.Queue[Client] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Local(lambda *given: met.put_nowait(Client(*given)), LIMIT), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    client = await met.get()
    assert client.name == "{}:{}".format(*writer.get_extra_info("sockname"))
    try:
        yield client, reader, writer
    finally:
        client.writer.close()
        writer.close()
        server.close()


async def test_work_for_a_client_that_stays() -> None:
    async def work() -> int:
        return 7

    async with joined() as (client, _, _):
        assert await client.while_there(work()) == 7


async def test_work_that_fails() -> None:
    async def work() -> int:
        raise OSError("no")

    async with joined() as (client, _, _):
        with pytest.raises(OSError, match="no"):
            await client.while_there(work())


async def test_work_ends_when_the_client_goes() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("work")

    async with joined() as (client, _, writer):
        asyncio.get_running_loop().call_later(0.1, writer.close)
        with pytest.raises(ClientGone):
            await client.while_there(work())
    assert ended == ["work"]


async def test_what_was_made_for_nobody_is_undone() -> None:
    """Also when the result and the end come in the same moment, and when the work does not let itself be cancelled."""
    undone: list[int] = []

    async def stubborn() -> int:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(0.05)
        return 7

    async def at_once() -> int:
        return 8

    async with joined() as (client, _, writer):
        writer.close()
        await client.gone.wait()
        with pytest.raises(ClientGone):
            await client.while_there(at_once(), undone.append)
        with pytest.raises(ClientGone):
            await client.while_there(stubborn(), undone.append)
    await until(lambda: undone == [8, 7], "end of what was made")


async def test_work_ends_when_the_proxy_does() -> None:
    undone: list[int] = []

    async def stubborn() -> int:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(0.05)
        return 7

    async with joined() as (client, _, _):
        task = asyncio.ensure_future(client.while_there(stubborn(), undone.append))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: undone == [7], "end of what was made")


async def test_the_last_word_is_read_whatever_the_client_still_sends() -> None:
    async with joined() as (client, reader, writer):
        writer.write(bytes(1_000_000))
        parting = asyncio.ensure_future(client.part(b"no", 20))
        assert await reader.read() == b"no"
        writer.close()
        await parting


async def test_a_client_that_reads_no_last_word_is_let_go() -> None:
    async with joined() as (client, _, _):
        await client.part(b"no", 0.2)
        assert client.writer.transport.is_closing()


async def test_a_failure_is_a_reset() -> None:
    async with joined() as (client, reader, _):
        client.reset()
        with pytest.raises(ConnectionResetError):
            await reader.read()
