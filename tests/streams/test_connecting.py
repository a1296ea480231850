from __future__ import annotations

import asyncio
import socket

import pytest

from bridge.errors import ConnectRefused, DNSFailed, NetTimeout
from tests.streams.recording import Recording
from tests.streams.worlds import BoardWorld

pytestmark = pytest.mark.world("board")


async def test_names_are_resolved_by_the_board(world: BoardWorld) -> None:
    async with world.far_server() as server:
        world.network.zone["host.test"] = world.host
        reader, writer = await world.open_connection("host.test", server.address[1])
        assert writer.get_extra_info("peername") == server.address
        await server.accept()
        writer.close()
        await writer.wait_closed()


async def test_why_it_does_not_come_about(world: BoardWorld) -> None:
    for host, port, error in (
        (world.host, 9, ConnectionRefusedError),
        (world.host, 0, ConnectionRefusedError),
        (world.host, 70_000, ValueError),
        (world.host, -1, ValueError),
        ("nobody.test", 80, socket.gaierror),
        ("10.99.0.1", 80, TimeoutError),
    ):
        with pytest.raises(error):
            await world.open_connection(host, port)
    assert world.board._slots.taken == 0


async def test_errors_say_who_and_carry_the_systems_number(world: BoardWorld) -> None:
    with pytest.raises(ConnectRefused) as raised:
        await world.open_connection(world.host, 9)
    assert f"{world.host}:9" in str(raised.value) and raised.value.errno == 111 and raised.value.code == -9
    with pytest.raises(DNSFailed, match="nobody.test"):
        await world.open_connection("nobody.test", 9)


async def test_the_time_for_name_and_connection(world: BoardWorld) -> None:
    for host in ("nobody.test", "10.99.0.1"):
        began = world.loop.time()
        with pytest.raises(NetTimeout, match="within 2 s"):
            await world.open_connection(host, 80, timeout=2)
        assert world.loop.time() - began == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("milliseconds", [*range(0, 60, 3), 100, 250, 400])
async def test_giving_up_at_any_moment_leaves_nothing(world: BoardWorld, milliseconds: int) -> None:
    async with world.far_server() as server:
        world.network.zone["host.test"] = world.host
        connecting = asyncio.ensure_future(world.create_connection(Recording, "host.test", server.address[1]))
        await asyncio.sleep(milliseconds / 1000)
        connecting.cancel()
        try:
            transport, _ = await connecting
        except asyncio.CancelledError:
            return
        transport.abort()


@pytest.mark.parametrize("turns", range(0, 60, 4))
async def test_giving_up_at_any_turn_of_the_loop_leaves_nothing(world: BoardWorld, turns: int) -> None:
    async with world.far_server() as server:
        connecting = asyncio.ensure_future(world.create_connection(Recording, *server.address))
        accepted = asyncio.ensure_future(server.accept())
        await asyncio.wait([accepted, connecting], return_when=asyncio.FIRST_COMPLETED)
        for _ in range(turns):
            await asyncio.sleep(0)
        connecting.cancel()
        done = await asyncio.gather(connecting, return_exceptions=True)
        if not isinstance(done[0], BaseException):
            done[0][0].abort()
        await accepted


async def test_a_board_that_restarts_meanwhile(world: BoardWorld) -> None:
    connecting = [asyncio.ensure_future(world.open_connection("10.99.0.1", 80)) for _ in range(3)]
    await asyncio.sleep(1)
    await world.board.reset()
    for each in await asyncio.gather(*connecting, return_exceptions=True):
        assert isinstance(each, ConnectionResetError), each
    assert world.board._slots.taken == 0
