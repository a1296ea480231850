from __future__ import annotations

import asyncio

from bridge.integrations.closing import close
from tests.integrations.rig import Bench, run


def test_what_was_written_leaves_first() -> None:
    async def scenario(there: Bench) -> None:
        got: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            got.set_result(await reader.read())
            writer.close()

        async with await asyncio.start_server(take, there.host) as server:
            _, writer = await there.board.open_connection(there.host, server.sockets[0].getsockname()[1])
            writer.write(bytes(20_000))
            await close(writer)
            assert await got == bytes(20_000)

    run(scenario)


def test_a_peer_that_takes_nothing_is_not_waited_for() -> None:
    async def scenario(there: Bench) -> None:
        leave = asyncio.Event()

        async def take_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await leave.wait()
            writer.transport.abort()

        async with await asyncio.start_server(take_nothing, there.host) as server:
            _, writer = await there.board.open_connection(there.host, server.sockets[0].getsockname()[1])
            writer.write(bytes(8_000_000))
            await close(writer, timeout=0.2)
            assert writer.transport.is_closing()
            await there.settled(there.handles)
            leave.set()

    run(scenario)
