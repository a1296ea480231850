from __future__ import annotations

import asyncio

import pytest

from bridge.streams.local import Local


@pytest.mark.parametrize("how", ["closed", "half closed", "reset"])
def test_the_end_of_a_connection_is_told_while_nobody_reads(how: str) -> None:
    async def scenario() -> None:
        met: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter, asyncio.Event]] = asyncio.Queue()
        server = await asyncio.get_running_loop().create_server(
            lambda: Local(lambda *given: met.put_nowait(given), 1000), "127.0.0.1", 0
        )
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        reader, ours, gone = await met.get()
        writer.write(b"words")
        await writer.drain()
        assert not gone.is_set()
        if how == "half closed":
            writer.write_eof()
        else:
            (writer.close if how == "closed" else writer.transport.abort)()
        async with asyncio.timeout(10):
            await gone.wait()
        assert await reader.read() == b"words"
        writer.close()
        ours.close()
        server.close()

    asyncio.run(scenario())
