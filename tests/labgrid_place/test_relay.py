from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bridge.labgrid_place.relay import Relay


class Place:
    """A TCP server that keeps what it gets and answers it in capitals."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.clients = 0
        self.ended = asyncio.Event()
        self.reads = asyncio.Event()
        self.reads.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.clients += 1
        try:
            while True:
                await self.reads.wait()
                if not (data := await reader.read(4096)):
                    break
                self.heard += data
                writer.write(data.upper())
        except ConnectionError:
            pass
        finally:
            self.ended.set()
            writer.close()


@asynccontextmanager
async def served(is_good: asyncio.Event | None = None) -> AsyncIterator[tuple[Place, Relay]]:
    place = Place()
    server = await asyncio.start_server(place.serve, "127.0.0.1", 0)
    good = (lambda: True) if is_good is None else is_good.is_set
    relay = Relay("127.0.0.1", server.sockets[0].getsockname()[1], good)
    await relay.start()
    try:
        yield place, relay
    finally:
        relay.cut()
        server.close()


async def connect(relay: Relay) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", relay.tcp_port)


def test_bytes_go_both_ways_and_the_next_client_has_a_connection_of_its_own() -> None:
    async def main() -> None:
        async with served() as (place, relay):
            for number in (1, 2):
                reader, writer = await connect(relay)
                writer.write(b"hello")
                assert await reader.readexactly(5) == b"HELLO"
                writer.close()
                await place.ended.wait()
                place.ended.clear()
                assert place.clients == number
            assert place.heard == b"hellohello"

    asyncio.run(main())


def test_what_a_client_writes_before_its_end_arrives() -> None:
    async def main() -> None:
        async with served() as (place, relay):
            _, writer = await connect(relay)
            writer.write(b"x" * 500_000)
            writer.close()
            await place.ended.wait()
            assert len(place.heard) == 500_000

    asyncio.run(main())


def test_a_second_client_waits_for_the_first() -> None:
    async def main() -> None:
        async with served() as (place, relay):
            reader, writer = await connect(relay)
            writer.write(b"a")
            await reader.readexactly(1)
            second, writer_of_second = await connect(relay)
            writer_of_second.write(b"b")
            waiting = asyncio.ensure_future(second.readexactly(1))
            writer.write(b"c")
            assert await reader.readexactly(1) == b"C" and not waiting.done()
            writer.close()
            assert await waiting == b"B" and place.heard == b"acb"
            writer_of_second.close()

    asyncio.run(main())


def test_after_the_cut_nothing_arrives() -> None:
    async def main() -> None:
        async with served() as (place, relay):
            reader, writer = await connect(relay)
            writer.write(b"a")
            await reader.readexactly(1)
            place.reads.clear()
            writer.write(b"b" * 1_000_000)  # more than the systems between take
            await asyncio.sleep(0)
            relay.cut()
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
            writer.close()
            before = len(place.heard)
            place.reads.set()
            await place.ended.wait()
            assert len(place.heard) - before < 1_000_000
            with pytest.raises(ConnectionError):
                await connect(relay)

    asyncio.run(main())


def test_a_process_that_may_have_lost_the_place_lets_nothing_through() -> None:
    async def main() -> None:
        good = asyncio.Event()
        good.set()
        async with served(good) as (place, relay):
            reader, writer = await connect(relay)
            writer.write(b"a")
            await reader.readexactly(1)
            good.clear()
            writer.write(b"b")
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
            writer.close()
            await place.ended.wait()
            assert place.heard == b"a"

    asyncio.run(main())


def test_where_nobody_serves_the_client_sees_an_end() -> None:
    async def main() -> None:
        server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
        tcp_port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        relay = Relay("127.0.0.1", tcp_port, lambda: True)
        await relay.start()
        reader, writer = await connect(relay)
        assert await reader.read() == b""
        writer.close()
        relay.cut()

    asyncio.run(main())
