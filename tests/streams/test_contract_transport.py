"""What a stream transport does, on asyncio's own sockets and on a board's alike."""

from __future__ import annotations

import asyncio
import io
import sys
from random import Random
from typing import Any

import pytest

from tests.streams.recording import Buffered, Failing, Recording
from tests.streams.worlds import World

#: More than any buffer on the way holds without a reader.
MUCH = {"asyncio": 16_000_000, "board": 200_000, "board-on-loopback": 80_000}


def payload(size: int) -> bytes:
    return Random(size).randbytes(size)


# --- making it ---


async def test_the_protocol_is_made_before_anything_else_and_knows_its_addresses(world: World) -> None:
    async with world.far_server() as server:
        transport, protocol = await world.create_connection(Recording, *server.address)
        assert protocol.calls == ["made"] and protocol.transport is transport
        assert transport.get_extra_info("peername") == server.address
        host, port = transport.get_extra_info("sockname")
        assert host == world.here and 0 < port < 65_536
        assert transport.get_extra_info("nothing") is None and transport.get_extra_info("nothing", 7) == 7
        assert transport.get_protocol() is protocol
        assert not transport.is_closing() and transport.is_reading()
        assert transport.get_write_buffer_size() == 0
        await server.accept()
        transport.abort()
        await protocol.ended()


@pytest.mark.world("board", "board-on-loopback")  # asyncio leaves its socket to the collector
async def test_what_is_no_protocol_factory_leaves_nothing(world: World) -> None:
    def factory() -> None:
        raise ZeroDivisionError

    async with world.far_server() as server:
        with pytest.raises(ZeroDivisionError):
            await world.create_connection(factory, *server.address)


async def test_an_error_in_connection_made_is_a_complaint_and_the_connection_stands(world: World) -> None:
    async with world.connected(lambda: Failing("connection_made", ZeroDivisionError())) as (transport, protocol, far):
        far.write(b"hello")
        assert await protocol.received(5) == b"hello"
    assert [type(each["exception"]) for each in world.complaints] == [ZeroDivisionError]
    world.complaints.clear()


async def test_a_refused_connection(world: World) -> None:
    async with world.far_server() as server:
        gone = server.address
    with pytest.raises(ConnectionRefusedError):
        await world.create_connection(Recording, *gone)


async def test_a_service_may_be_named(world: World) -> None:
    with pytest.raises(ConnectionRefusedError):  # nobody listens there
        await world.create_connection(Recording, world.host, "tcpmux")
    with pytest.raises(OSError):
        await world.create_connection(Recording, world.host, "nonsense")


async def test_a_name_that_is_none(world: World) -> None:
    for name in ("a..b", "x" * 70 + ".test"):
        with pytest.raises((OSError, UnicodeError)):
            await world.create_connection(Recording, name, 80)


@pytest.mark.parametrize("option", ["server_hostname", "ssl_handshake_timeout", "ssl_shutdown_timeout"])
async def test_what_means_something_with_tls_only_is_refused_without(world: World, option: str) -> None:
    value: Any = "x" if option == "server_hostname" else 5.0
    with pytest.raises(ValueError, match="only meaningful with ssl"):
        await world.create_connection(Recording, world.host, 80, **{option: value})


# --- reading ---


async def test_data_is_received_in_order(world: World) -> None:
    data = payload(30_000)
    async with world.connected(Recording) as (transport, protocol, far):
        far.write(data)
        assert await protocol.received(len(data)) == data
        assert protocol.calls == ["made", "data"]


async def test_pausing_and_going_on(world: World) -> None:
    async with world.connected(Recording) as (transport, protocol, far):
        transport.pause_reading()
        transport.pause_reading()
        assert not transport.is_reading()
        far.write(b"early")
        transport.write(b"?")  # what is on its way has come when this has gone round
        assert await far.read_exactly(1) == b"?"
        await asyncio.sleep(0.1)
        assert protocol.calls == ["made"]
        transport.resume_reading()
        transport.resume_reading()
        assert transport.is_reading()
        assert await protocol.received(5) == b"early"
        transport.close()
        assert not transport.is_reading()
        transport.pause_reading()
        transport.resume_reading()
        assert not transport.is_reading()
        await protocol.ended()


async def test_pausing_in_connection_made(world: World) -> None:
    async with world.connected(lambda: Recording(lambda transport: transport.pause_reading())) as (
        transport,
        protocol,
        far,
    ):
        assert not transport.is_reading()
        far.write(b"early")
        transport.write(b"?")
        assert await far.read_exactly(1) == b"?"
        assert protocol.calls == ["made"]
        transport.resume_reading()
        assert await protocol.received(5) == b"early"


async def test_pausing_for_long_with_much_waiting_loses_nothing(world: World) -> None:
    data = payload(MUCH[world.name] // 8)
    async with world.connected(Recording) as (transport, protocol, far):
        transport.pause_reading()
        far.write(data)
        await asyncio.sleep(20 if world.name == "board" else 0.5)
        assert protocol.calls == ["made"]
        transport.resume_reading()
        assert await protocol.received(len(data)) == data


async def test_the_end_of_the_peer(world: World) -> None:
    async with world.connected(Recording) as (transport, protocol, far):
        far.write(b"bye")
        far.close()
        assert await protocol.ended() is None
        assert protocol.calls == ["made", "data", "eof", "lost"] and bytes(protocol.data) == b"bye"
        assert transport.is_closing()
        transport.close()
        transport.abort()
        transport.write(b"too late")
        await asyncio.sleep(0.1)
        assert protocol.calls == ["made", "data", "eof", "lost"], "connection_lost comes once"


async def test_a_reset_by_the_peer(world: World) -> None:
    async with world.connected(Recording) as (transport, protocol, far):
        far.abort()
        assert isinstance(await protocol.ended(), ConnectionResetError)
        assert protocol.calls == ["made", "lost"]
        assert transport.is_closing()


@pytest.mark.parametrize("where", ["data_received", "eof_received"])
async def test_an_error_in_the_protocol_ends_the_connection_with_it(world: World, where: str) -> None:
    error = LookupError("of the protocol")
    async with world.connected(lambda: Failing(where, error)) as (transport, protocol, far):
        far.write(b"x")
        far.close()
        assert await protocol.ended() is error
        await far.read()
        assert (
            protocol.calls == ["made", "data", "lost"] if where == "data_received" else ["made", "data", "eof", "lost"]
        )
    (complaint,) = world.complaints
    assert complaint["exception"] is error and where in complaint["message"]
    assert complaint["transport"] is transport and complaint["protocol"] is protocol
    world.complaints.clear()


async def test_an_error_of_the_network_in_the_protocol_is_no_complaint(world: World) -> None:
    error = ConnectionAbortedError("of the protocol")
    async with world.connected(lambda: Failing("data_received", error)) as (transport, protocol, far):
        far.write(b"x")
        assert await protocol.ended() is error


async def test_an_error_in_connection_lost_is_a_complaint(world: World) -> None:
    async with world.connected(lambda: Failing("connection_lost", ZeroDivisionError())) as (transport, protocol, far):
        transport.close()
        await protocol.ended()
        await asyncio.sleep(0)
    assert [type(each["exception"]) for each in world.complaints] == [ZeroDivisionError]
    world.complaints.clear()


async def test_another_protocol_gets_what_comes_from_then_on(world: World) -> None:
    async with world.connected(Recording) as (transport, first, far):
        far.write(b"one")
        assert await first.received(3) == b"one"
        second = Recording()
        transport.set_protocol(second)
        assert transport.get_protocol() is second
        far.write(b"two")
        assert await second.received(3) == b"two"
        far.close()
        await second.ended()
        assert first.calls == ["made", "data"] and second.calls == ["data", "eof", "lost"]


# --- a protocol with a buffer of its own ---


@pytest.mark.parametrize("size", [100, 1, 65_536])
async def test_a_buffered_protocol(world: World, size: int) -> None:
    data = payload(3_000)
    async with world.connected(lambda: Buffered(size)) as (transport, protocol, far):
        far.write(data)
        assert await protocol.received(len(data)) == data
        far.close()
        assert await protocol.ended() is None
        assert protocol.calls == ["made", "data", "eof", "lost"]


async def test_a_buffered_protocol_without_a_buffer(world: World) -> None:
    async with world.connected(lambda: Buffered(0)) as (transport, protocol, far):
        far.write(b"x")
        assert isinstance(await protocol.ended(), RuntimeError)
    assert "get_buffer" in str(world.complaints.pop()["exception"])


@pytest.mark.parametrize("where", ["get_buffer", "buffer_updated", "eof_received"])
async def test_an_error_in_a_buffered_protocol(world: World, where: str) -> None:
    def fail(*values: object) -> None:
        raise LookupError

    def factory() -> Buffered:
        made = Buffered()
        setattr(made, where, fail)
        return made

    async with world.connected(factory) as (transport, protocol, far):
        far.write(b"x")
        far.close()
        assert isinstance(await protocol.ended(), LookupError)
    assert isinstance(world.complaints.pop()["exception"], LookupError)


async def test_a_reset_reaches_a_buffered_protocol(world: World) -> None:
    async with world.connected(Buffered) as (transport, protocol, far):
        far.abort()
        assert isinstance(await protocol.ended(), ConnectionResetError)


async def test_the_kind_of_protocol_may_change(world: World) -> None:
    async with world.connected(Recording) as (transport, first, far):
        second = Buffered()
        transport.set_protocol(second)
        far.write(b"two")
        assert await second.received(3) == b"two"
        third = Recording()
        transport.set_protocol(third)
        far.write(b"three")
        assert await third.received(5) == b"three"
        assert first.calls == ["made"]


# --- writing ---


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
async def test_what_can_be_written(world: World, kind: type) -> None:
    data = payload(5_000)
    async with world.connected(Recording) as (transport, protocol, far):
        transport.write(kind(data[:1]))
        transport.write(kind(b""))
        transport.writelines([kind(data[1:2_000]), kind(b""), kind(data[2_000:])])
        assert await far.read_exactly(len(data)) == data


async def test_what_was_written_may_be_changed_afterwards(world: World) -> None:
    data = bytearray(payload(MUCH[world.name] // 20))
    kept = bytes(data)
    async with world.connected(Recording) as (transport, protocol, far):
        transport.write(data)
        data[:] = bytes(len(data))
        assert await far.read_exactly(len(kept)) == kept


@pytest.mark.parametrize("what", ["text", 5, None, [1]])
async def test_what_cannot_be_written(world: World, what: Any) -> None:
    async with world.connected(Recording) as (transport, protocol, far):
        with pytest.raises(TypeError):
            transport.write(what)
        transport.write(b"fine")
        assert await far.read_exactly(4) == b"fine"


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
async def test_more_than_fits_at_once_is_sent_in_order(world: World, kind: type) -> None:
    data = payload(MUCH[world.name] // 4)
    async with world.connected(Recording) as (transport, protocol, far):
        transport.write(kind(data[:-3]))
        transport.write(kind(data[-3:]))
        assert transport.get_write_buffer_size() > 0
        assert await far.read_exactly(len(data)) == data
        while transport.get_write_buffer_size():  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(0.01)


async def test_a_writer_is_asked_to_pause_and_to_go_on(world: World) -> None:
    data = payload(MUCH[world.name])
    async with world.connected(Recording) as (transport, protocol, far):
        transport.set_write_buffer_limits(high=20_000, low=3_000)
        assert transport.get_write_buffer_limits() == (3_000, 20_000)
        at = 0
        while not protocol.paused:
            assert at < len(data)
            transport.write(data[at : at + 1_000])
            at += 1_000
            await asyncio.sleep(0)
        assert transport.get_write_buffer_size() > 20_000
        assert await far.read_exactly(at) == data[:at]
        await protocol.until(lambda: not protocol.paused)
        assert protocol.calls == ["made", "pause", "resume"]


@pytest.mark.parametrize(
    ("given", "become"),
    [({"high": 100}, (25, 100)), ({"low": 100}, (100, 400)), ({"high": 0}, (0, 0)), ({"high": 5, "low": 5}, (5, 5))],
)
async def test_limits(world: World, given: dict[str, int], become: tuple[int, int]) -> None:
    async with world.connected(Recording) as (transport, protocol, far):
        low, high = transport.get_write_buffer_limits()
        assert 0 < low < high
        transport.set_write_buffer_limits(**given)
        assert transport.get_write_buffer_limits() == become
        for wrong in ({"high": 1, "low": 2}, {"low": -1}, {"high": -1}):
            with pytest.raises(ValueError, match="must be >= low"):
                transport.set_write_buffer_limits(**wrong)
        transport.set_write_buffer_limits()
        assert transport.get_write_buffer_limits() == (low, high)


async def test_an_error_in_pause_writing_is_a_complaint(world: World) -> None:
    def factory() -> Recording:
        return Failing("pause_writing", ZeroDivisionError())

    async with world.connected(factory) as (transport, protocol, far):
        transport.set_write_buffer_limits(high=0)
        far.hold()
        while not protocol.paused:
            transport.write(bytes(10_000))
            await asyncio.sleep(0)
        assert not transport.is_closing()
    (complaint,) = world.complaints
    assert isinstance(complaint["exception"], ZeroDivisionError) and "pause_writing" in complaint["message"]
    world.complaints.clear()


async def test_writing_to_a_peer_that_has_reset_the_connection(world: World) -> None:
    async with world.connected(Recording) as (transport, protocol, far):
        transport.pause_reading()
        far.abort()
        async with asyncio.timeout(20):
            while not transport.is_closing():
                transport.write(bytes(1_000))
                await asyncio.sleep(0.01)
        assert isinstance(await protocol.ended(), ConnectionError)
        assert transport.get_write_buffer_size() == 0


# --- closing ---


async def test_closing(world: World) -> None:
    async with world.connected(Recording) as (transport, protocol, far):
        transport.close()
        assert transport.is_closing() and protocol.calls == ["made"], "connection_lost comes from the loop"
        transport.close()
        assert await protocol.ended() is None
        assert await far.read() == b""
        assert protocol.calls == ["made", "lost"]


async def test_what_was_written_leaves_before_the_end(world: World) -> None:
    data = payload(MUCH[world.name] // 4)
    async with world.connected(Recording) as (transport, protocol, far):
        transport.write(data)
        transport.close()
        assert transport.is_closing()
        assert await far.read() == data
        assert await protocol.ended() is None


async def test_nothing_is_received_after_close(world: World) -> None:
    async with world.connected(Recording) as (transport, protocol, far):
        transport.write(b"bye")
        transport.close()
        far.write(b"still talking")
        await protocol.ended()
        assert bytes(protocol.data) == b""


async def test_writing_after_close_does_nothing(world: World) -> None:
    async with world.connected(Recording) as (transport, protocol, far):
        transport.close()
        for _ in range(10):
            transport.write(b"too late")
        if world.name != "asyncio" or sys.version_info < (3, 12):  # its own ones of 3.12 and 3.13 raise a TypeError
            transport.writelines([b"too", b"late"])
        assert await far.read() == b""
        assert await protocol.ended() is None


async def test_abort_drops_what_was_written(world: World) -> None:
    data = bytes(MUCH[world.name])
    async with world.connected(Recording) as (transport, protocol, far):
        far.hold()
        transport.write(data)
        transport.abort()
        assert transport.is_closing() and protocol.calls[-1] != "lost", "connection_lost comes from the loop"
        assert transport.get_write_buffer_size() == 0
        transport.abort()
        transport.close()
        assert await protocol.ended() is None
        assert protocol.calls.count("lost") == 1


async def test_abort_while_closing(world: World) -> None:
    async with world.connected(Recording) as (transport, protocol, far):
        far.hold()
        transport.write(bytes(MUCH[world.name]))
        transport.close()
        await asyncio.sleep(0.1)
        assert not protocol.lost
        transport.abort()
        assert await protocol.ended() is None


async def test_closing_in_connection_made(world: World) -> None:
    async with world.far_server() as server:
        _, protocol = await world.create_connection(
            lambda: Recording(lambda transport: transport.close()), *server.address
        )
        await server.accept()
        assert await protocol.ended() is None
        assert protocol.calls == ["made", "lost"]


# --- files ---


@pytest.mark.world(
    "asyncio", "board-on-loopback"
)  # asyncio reads it in a thread, which a virtual clock cannot wait for
async def test_sending_a_file(world: World) -> None:
    data = payload(40_000)
    async with world.connected(Recording) as (transport, protocol, far):
        transport.write(b"before")
        sending = asyncio.ensure_future(world.loop.sendfile(transport, io.BytesIO(data), 1_000, 30_000))
        assert await far.read_exactly(30_006) == b"before" + data[1_000:31_000]
        assert await sending == 30_000
        transport.write(b"behind")
        assert await far.read_exactly(6) == b"behind"
        far.write(b"and back")
        assert await protocol.received(8) == b"and back"
        transport.close()
        with pytest.raises(RuntimeError, match="closing"):
            await world.loop.sendfile(transport, io.BytesIO(data))
