"""What datagram transports do, asyncio's own and a board's alike."""

from __future__ import annotations

import asyncio
import errno
import sys
from typing import Any

import pytest

from tests.streams.recording import Datagrams
from tests.streams.worlds import World


async def closed(transport: Any, protocol: Datagrams) -> None:
    transport.close()
    assert await protocol.ended() is None


async def test_datagrams_from_and_to_anybody(world: World) -> None:
    async with world.far_datagrams() as one, world.far_datagrams() as two:
        transport, protocol = await world.create_datagram_endpoint(Datagrams, local_addr=(world.here, 0))
        assert protocol.calls == ["made"] and protocol.transport is transport
        assert transport.get_extra_info("peername") is None
        here = (world.here, transport.get_extra_info("sockname")[1])
        for far in (one, two):
            far.send(b"hello", here)
        await protocol.until(lambda: len(protocol.datagrams) == 2)
        assert sorted(protocol.datagrams) == sorted([(b"hello", one.address), (b"hello", two.address)])
        transport.sendto(b"one", one.address)
        transport.sendto(b"two", two.address)
        assert await one.receive() == (b"one", here)
        assert await two.receive() == (b"two", here)
        await closed(transport, protocol)


async def test_one_peer(world: World) -> None:
    async with world.far_datagrams() as peer, world.far_datagrams() as other:
        transport, protocol = await world.create_datagram_endpoint(Datagrams, remote_addr=peer.address)
        assert transport.get_extra_info("peername") == peer.address
        transport.sendto(b"to the peer")
        transport.sendto(b"to the same", peer.address)
        data, here = await peer.receive()
        assert data == b"to the peer" and (await peer.receive())[0] == b"to the same"
        with pytest.raises(ValueError, match="must be None or"):
            transport.sendto(b"to another", other.address)
        other.send(b"unwanted", here)
        peer.send(b"wanted", here)
        await protocol.until(lambda: protocol.datagrams)
        assert protocol.datagrams == [(b"wanted", peer.address)]
        await closed(transport, protocol)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
async def test_what_can_be_sent(world: World, kind: type) -> None:
    async with world.far_datagrams() as far:
        transport, protocol = await world.create_datagram_endpoint(Datagrams, local_addr=(world.here, 0))
        data = bytearray(b"data")
        transport.sendto(kind(data), far.address)
        assert (await far.receive())[0] == b"data"
        await closed(transport, protocol)


async def test_what_was_sent_may_be_changed_afterwards(world: World) -> None:
    async with world.far_datagrams() as far:
        transport, protocol = await world.create_datagram_endpoint(Datagrams, remote_addr=far.address)
        data = bytearray(b"data")
        for number in range(10):
            data[0] = number
            transport.sendto(data)
        assert [(await far.receive())[0][0] for _ in range(10)] == [*range(10)]
        await closed(transport, protocol)


@pytest.mark.parametrize("what", ["text", 5, None, [1]])
async def test_what_cannot_be_sent(world: World, what: Any) -> None:
    transport, protocol = await world.create_datagram_endpoint(Datagrams, local_addr=(world.here, 0))
    with pytest.raises(TypeError):
        transport.sendto(what, (world.host, 9))
    await closed(transport, protocol)


async def test_a_datagram_that_is_too_long_is_an_error_of_the_protocol(world: World) -> None:
    async with world.far_datagrams() as far:
        transport, protocol = await world.create_datagram_endpoint(Datagrams, remote_addr=far.address)
        transport.sendto(bytes(70_000))
        await protocol.until(lambda: protocol.errors)
        (error,) = protocol.errors
        assert isinstance(error, OSError) and error.errno == errno.EMSGSIZE
        transport.sendto(b"short")
        assert (await far.receive())[0] == b"short"
        await closed(transport, protocol)


async def test_no_bytes_are_no_datagram(world: World) -> None:
    if world.name == "asyncio" and sys.version_info >= (3, 13):
        pytest.skip("asyncio sends datagrams without bytes from Python 3.13 on")
    async with world.far_datagrams() as far:
        transport, protocol = await world.create_datagram_endpoint(Datagrams, remote_addr=far.address)
        transport.sendto(b"")
        transport.sendto(b"some")
        assert (await far.receive())[0] == b"some"
        await closed(transport, protocol)


async def test_the_largest_datagram_of_a_frame(world: World) -> None:
    async with world.far_datagrams() as far:
        transport, protocol = await world.create_datagram_endpoint(Datagrams, remote_addr=far.address)
        transport.sendto(bytes(1_472))
        data, here = await far.receive()
        far.send(data, here)
        await protocol.until(lambda: protocol.datagrams)
        assert protocol.datagrams == [(bytes(1_472), far.address)]
        await closed(transport, protocol)


async def test_many_datagrams_arrive_in_order_on_a_quiet_network(world: World) -> None:
    async with world.far_datagrams() as far:
        transport, protocol = await world.create_datagram_endpoint(Datagrams, remote_addr=far.address)
        sent = [b"%03d" % number * 20 for number in range(40)]
        for each in sent:
            transport.sendto(each)
        assert [(await far.receive())[0] for _ in sent] == sent
        while transport.get_write_buffer_size():  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(0.01)
        await closed(transport, protocol)


async def test_closing(world: World) -> None:
    async with world.far_datagrams() as far:
        transport, protocol = await world.create_datagram_endpoint(Datagrams, remote_addr=far.address)
        assert not transport.is_closing()
        transport.sendto(b"last words")
        transport.close()
        transport.close()
        assert transport.is_closing() and protocol.calls == ["made"], "connection_lost comes from the loop"
        assert await protocol.ended() is None
        data, here = await far.receive()
        assert data == b"last words"
        transport.sendto(b"too late")
        far.send(b"too late", here)
        await asyncio.sleep(0.1)
        assert protocol.calls == ["made", "lost"]


async def test_abort(world: World) -> None:
    transport, protocol = await world.create_datagram_endpoint(Datagrams, remote_addr=(world.host, 9))
    transport.abort()
    assert transport.is_closing() and protocol.calls == ["made"]
    transport.abort()
    assert await protocol.ended() is None
    assert protocol.calls == ["made", "lost"]


async def test_an_error_in_the_protocol_is_a_complaint_and_the_port_stays_open(world: World) -> None:
    async with world.far_datagrams() as far:
        transport, protocol = await world.create_datagram_endpoint(Datagrams, local_addr=(world.here, 0))
        received, here = protocol.datagram_received, (world.here, transport.get_extra_info("sockname")[1])

        def fail(data: bytes, address: Any) -> None:
            protocol.datagram_received = received  # type: ignore[method-assign]
            raise LookupError

        protocol.datagram_received = fail  # type: ignore[method-assign]
        far.send(b"bad", here)
        far.send(b"good", here)
        await protocol.until(lambda: protocol.datagrams)
        assert protocol.datagrams[0][0] == b"good"
        assert [type(each["exception"]) for each in world.complaints] == [LookupError]
        world.complaints.clear()
        await closed(transport, protocol)


async def test_another_protocol_gets_what_comes_from_then_on(world: World) -> None:
    async with world.far_datagrams() as far:
        transport, first = await world.create_datagram_endpoint(Datagrams, local_addr=(world.here, 0))
        second = Datagrams()
        transport.set_protocol(second)
        assert transport.get_protocol() is second
        far.send(b"x", (world.here, transport.get_extra_info("sockname")[1]))
        await second.until(lambda: second.datagrams)
        assert first.calls == ["made"]
        await closed(transport, second)


async def test_a_port_that_is_taken(world: World) -> None:
    transport, protocol = await world.create_datagram_endpoint(Datagrams, local_addr=(world.here, 0))
    with pytest.raises(OSError) as raised:
        await world.create_datagram_endpoint(Datagrams, local_addr=transport.get_extra_info("sockname"))
    assert raised.value.errno == errno.EADDRINUSE
    await closed(transport, protocol)


async def test_what_is_no_address(world: World) -> None:
    for wrong in ("host", ("host",), 5):
        with pytest.raises((TypeError, ValueError, OSError)):
            await world.create_datagram_endpoint(Datagrams, local_addr=wrong)


async def test_limits(world: World) -> None:
    transport, protocol = await world.create_datagram_endpoint(Datagrams, local_addr=(world.here, 0))
    transport.set_write_buffer_limits(high=100)
    assert transport.get_write_buffer_limits() == (25, 100)
    await closed(transport, protocol)
