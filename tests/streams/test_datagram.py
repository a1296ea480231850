"""What a board's datagram transport does beyond asyncio's own."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import Any

import pytest

from bridge.errors import ArgumentRefused
from bridge.streams.datagram import LARGEST
from tests.streams.recording import Datagrams
from tests.streams.worlds import BoardWorld

pytestmark = pytest.mark.world("board")


async def test_names_are_asked_for_while_others_go_on(world: BoardWorld) -> None:
    async with world.far_datagrams() as far:
        world.network.zone["far.test"] = world.host
        transport, protocol = await world.create_datagram_endpoint(Datagrams)
        transport.sendto(b"to nobody", ("nobody.test", 7))
        transport.sendto(b"to an address", far.address)
        assert (await far.receive())[0] == b"to an address"
        assert protocol.errors == []
        transport.sendto(b"to a name", ("far.test", far.address[1]))
        transport.close()
        assert await protocol.ended() is None
        assert (await far.receive())[0] == b"to a name"
        assert [type(each).__name__ for each in protocol.errors] == ["DNSFailed"]
        assert isinstance(protocol.errors[0], socket.gaierror)


async def test_the_peer_may_be_a_name(world: BoardWorld) -> None:
    async with world.far_datagrams() as far:
        world.network.zone["far.test"] = world.host
        transport, protocol = await world.create_datagram_endpoint(
            Datagrams, remote_addr=("far.test", far.address[1]), allow_broadcast=True
        )
        assert transport.get_extra_info("peername") == far.address
        transport.sendto(b"x")
        assert (await far.receive())[0] == b"x"
        transport.close()
        await protocol.ended()
        assert "closed" in repr(transport)
    with pytest.raises(socket.gaierror):
        await world.create_datagram_endpoint(Datagrams, remote_addr=("nobody.test", 7))
    with pytest.raises(TimeoutError, match="within 1 s"):
        await world.create_datagram_endpoint(Datagrams, remote_addr=("nobody.test", 7), timeout=1)


async def test_one_byte_more_than_a_frame_holds(world: BoardWorld) -> None:
    async with world.far_datagrams() as far:
        transport, protocol = await world.create_datagram_endpoint(Datagrams, remote_addr=far.address)
        transport.sendto(bytes(LARGEST + 1))
        assert [error.errno for error in protocol.errors] == [errno.EMSGSIZE]  # type: ignore[attr-defined]
        transport.sendto(bytes(LARGEST))
        assert len((await far.receive())[0]) == LARGEST
        transport.close()
        await protocol.ended()


@pytest.mark.parametrize("address", [None, ("host",), "host", (5, 5), ("10.0.0.1", 70_000), ("10.0.0.1", 5, 0)])
async def test_what_is_no_receiver(world: BoardWorld, address: Any) -> None:
    transport, protocol = await world.create_datagram_endpoint(Datagrams)
    with pytest.raises(ArgumentRefused):
        transport.sendto(b"x", address)
    transport.close()
    await protocol.ended()


async def test_what_the_stack_does_not_send_is_an_error_of_the_protocol(world: BoardWorld) -> None:
    transport, protocol = await world.create_datagram_endpoint(Datagrams)
    transport.sendto(b"x", ("10.77.0.1", 0))
    await protocol.until(lambda: protocol.errors)
    assert [error.errno for error in protocol.errors] == [errno.EINVAL]  # type: ignore[attr-defined]
    assert not transport.is_closing()
    transport.close()
    await protocol.ended()


async def test_flow_control(world: BoardWorld) -> None:
    async with world.far_datagrams() as far:
        transport, protocol = await world.create_datagram_endpoint(Datagrams, remote_addr=far.address)
        for number in range(20):
            transport.sendto(bytes([number]) * 1_000)
        assert protocol.calls == ["made", "pause"]
        for number in range(20):
            assert (await far.receive())[0] == bytes([number]) * 1_000
        await protocol.until(lambda: not protocol.paused)
        transport.close()
        await protocol.ended()


async def test_aborting_with_much_waiting(world: BoardWorld) -> None:
    transport, protocol = await world.create_datagram_endpoint(Datagrams)
    for _ in range(30):
        transport.sendto(bytes(1_000), ("10.77.0.1", 7))
    transport.sendto(b"x", ("nobody.test", 7))
    transport.abort()
    assert transport.get_write_buffer_size() == 0
    assert await protocol.ended() is None


async def test_a_board_that_restarts(world: BoardWorld) -> None:
    transport, protocol = await world.create_datagram_endpoint(Datagrams)
    for _ in range(30):
        transport.sendto(bytes(1_000), ("10.77.0.1", 7))
    await world.board.reset()
    assert isinstance(await protocol.ended(), ConnectionResetError)
    transport.sendto(b"too late", ("10.77.0.1", 7))
    await asyncio.sleep(0)
    await world.warm_up()  # what a new boot loads
