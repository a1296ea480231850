"""What a board's server does beyond asyncio's own."""

from __future__ import annotations

import asyncio
import random

import pytest

from bridge.opening import open_board
from bridge.streams.slots import MOST
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.stack import NetworkStack
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from tests.same_epoch import start
from tests.streams.recording import Recording
from tests.streams.worlds import BoardWorld

pytestmark = pytest.mark.world("board")


async def test_host_and_port_in_either_order(world: BoardWorld) -> None:
    for where in ((8080,), (8080, None), (8080, world.here), (world.here, 8080), (None, 8080), ("", 8080)):
        async with await world.board.create_server(Recording, *where) as server:
            (bound,) = server.sockets
            assert bound.getsockname()[1] == 8080 and "8080" in repr(bound) and "8080" in repr(server)
        assert "closed" in repr(server)
    async with await world.board.start_server(lambda *stream: None) as server:
        assert server.sockets[0].getsockname()[1] > 0


async def test_closing_the_clients_too(world: BoardWorld) -> None:
    for how in ("close_clients", "abort_clients"):
        made: list[Recording] = []

        def factory(made: list[Recording] = made) -> Recording:
            made.append(Recording(lambda transport: transport.write(b"hello")))
            return made[-1]

        server = await world.create_server(factory)
        async with world.dial(server) as one, world.dial(server) as two:
            assert await one.read_exactly(5) == await two.read_exactly(5) == b"hello"
            server.close()
            closed = asyncio.ensure_future(server.wait_closed())
            await asyncio.sleep(1)
            assert not closed.done(), "it waits for its clients, as asyncio's does from Python 3.12 on"
            getattr(server, how)()
            await closed
            assert await one.read() == await two.read() == b""
            assert [each.lost for each in made] == [[None], [None]]


async def test_a_client_that_vanishes_before_it_is_greeted(world: BoardWorld) -> None:
    made: list[Recording] = []

    def factory() -> Recording:
        made.append(Recording())
        return made[-1]

    async with await world.create_server(factory) as server:
        for how in ("abort", "close") * 3:
            async with world.dial(server) as far:
                far.write(b"x")
                getattr(far, how)()
        await asyncio.sleep(5)
        for each in made:
            await each.ended()
            assert each.calls[0] == "made" and each.calls[-1] == "lost"


async def test_more_clients_than_slots_come_in_one_after_the_other(world: BoardWorld) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(2))
        writer.close()
        await writer.wait_closed()

    async def one(number: int) -> bytes:
        async with world.dial(server) as far:
            far.write(b"%02d" % number)
            data = await far.read_exactly(2)
            far.close()
            return data

    async with await world.start_server(serve) as server:
        found = await asyncio.gather(*(one(number) for number in range(3 * MOST)))
    assert found == [b"%02d" % number for number in range(3 * MOST)]


async def test_a_board_that_restarts(world: BoardWorld) -> None:
    server = await world.create_server(Recording)
    forever = asyncio.ensure_future(server.serve_forever())
    await asyncio.sleep(0)
    await world.board.reset()
    with pytest.raises(ConnectionResetError):
        await forever
    assert not server.is_serving() and server.sockets == ()
    await server.wait_closed()
    with pytest.raises((RuntimeError, ConnectionResetError)):
        await server.start_serving()
    await world.warm_up()  # what a new boot loads


async def test_being_closed_while_it_begins(world: BoardWorld) -> None:
    server = await world.create_server(Recording, start_serving=False)
    starting = asyncio.ensure_future(server.start_serving())
    await asyncio.sleep(0)
    server.close()
    await asyncio.gather(starting, return_exceptions=True)
    await server.wait_closed()
    assert not server.is_serving()


def test_clients_that_close_first_leave_nothing_on_the_board() -> None:
    """The agent held each at its question when the line was busy, and of one that is held when its peer closes 184
    bytes stay for 12 s. A third of a hundred such clients were turned away then."""
    page = random.Random(1).randbytes(500)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\n")
        writer.write(page)
        await reader.read()
        writer.close()

    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual")) as virtual:
            await virtual.answered()
            network, faults = virtual.network, list[object]()
            assert isinstance(network, MemoryNetwork)
            async with open_board(VirtualPort(virtual), start=start) as board:
                board.on("fault", faults.append)
                info = await board.net.ifinfo()
                assert info is not None

                async def client() -> None:
                    for _ in range(12):
                        stream = await network.open_connection(info["ip"], 8080)
                        stream.write(
                            b"a question of some eighty bytes, as curl has them, and browsers more than that" + b"\n"
                        )
                        assert await stream.read_exactly(len(page)) == page
                        stream.close()

                async with await board.start_server(serve, 8080):
                    await asyncio.gather(*(client() for _ in range(MOST)))
                    await asyncio.sleep(0.5)
                    [wire] = network._boards.values()
                    assert isinstance(wire._station, NetworkStack)
                    assert len(wire._station.tcp.time_wait) <= 3
                    assert faults == []

    clock.run(main())
