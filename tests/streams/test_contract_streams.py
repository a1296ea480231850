"""What readers and writers do over a transport, asyncio's own and a board's alike."""

from __future__ import annotations

import asyncio
import gc
import warnings
from typing import Any

import pytest

from tests.streams.test_contract_transport import MUCH, payload
from tests.streams.worlds import World


async def test_reading_what_has_come(world: World) -> None:
    async with world.stream() as (reader, writer, far):
        far.write(b"hello world")
        assert await reader.read(0) == b""
        assert await reader.read(5) == b"hello"
        assert await reader.readexactly(6) == b" world"
        assert await reader.readexactly(0) == b""
        with pytest.raises(ValueError, match="less than zero"):
            await reader.readexactly(-1)
        assert not reader.at_eof()
        far.close()
        assert await reader.read(5) == b""
        assert reader.at_eof()


async def test_reading_to_the_end(world: World) -> None:
    data = payload(20_000)
    async with world.stream() as (reader, writer, far):
        far.write(data)
        far.close()
        assert await reader.read() == data
        assert reader.at_eof() and await reader.read() == b""


async def test_lines(world: World) -> None:
    async with world.stream() as (reader, writer, far):
        far.write(b"one\n")
        assert await reader.readline() == b"one\n"
        far.write(b"tw")
        line = asyncio.ensure_future(reader.readline())
        await asyncio.sleep(0.05)
        far.write(b"o\nthree\nrest")
        assert await line == b"two\n"
        assert await reader.readline() == b"three\n"
        far.close()
        assert await reader.readline() == b"rest"
        assert await reader.readline() == b""


async def test_iterating_over_lines(world: World) -> None:
    async with world.stream() as (reader, writer, far):
        far.write(b"one\ntwo\nrest")
        far.close()
        assert [line async for line in reader] == [b"one\n", b"two\n", b"rest"]


async def test_lines_beyond_the_limit(world: World) -> None:
    async with world.stream(limit=10) as (reader, writer, far):
        far.write(b"short\n" + b"x" * 40 + b"\nlast\n")
        far.close()
        assert await reader.readline() == b"short\n"
        with pytest.raises(ValueError, match="limit"):
            await reader.readline()
        assert (await reader.read()).endswith(b"last\n")


async def test_what_is_no_limit(world: World) -> None:
    for limit in (0, -1):
        with pytest.raises(ValueError, match="Limit"):
            await world.open_connection(world.host, 9, limit=limit)


async def test_until_a_separator(world: World) -> None:
    async with world.stream() as (reader, writer, far):
        far.write(b"headAA")
        found = asyncio.ensure_future(reader.readuntil(b"AAA"))
        await asyncio.sleep(0.05)
        far.write(b"Atail")
        assert await found == b"headAAA"
        with pytest.raises(ValueError, match="at least one"):
            await reader.readuntil(b"")
        far.close()
        with pytest.raises(asyncio.IncompleteReadError) as raised:
            await reader.readuntil(b"#")
        assert raised.value.partial == b"tail" and raised.value.expected is None


async def test_a_separator_beyond_the_limit(world: World) -> None:
    async with world.stream(limit=5) as (reader, writer, far):
        far.write(b"0123456789#")
        far.close()
        with pytest.raises(asyncio.LimitOverrunError):
            await reader.readuntil(b"#")
        assert await reader.read() == b"0123456789#"


async def test_exactly_so_much_and_the_end_before(world: World) -> None:
    data = payload(5_000)
    async with world.stream(limit=100) as (reader, writer, far):
        far.write(data)
        assert await reader.readexactly(4_000) == data[:4_000], "more than the limit"
        far.close()
        with pytest.raises(asyncio.IncompleteReadError) as raised:
            await reader.readexactly(2_000)
        assert raised.value.partial == data[4_000:] and raised.value.expected == 2_000


async def test_a_reader_that_does_not_read_holds_the_peer_up_and_loses_nothing(world: World) -> None:
    data = payload(MUCH[world.name] // 8)
    async with world.stream(limit=1_000) as (reader, writer, far):
        far.write(data)
        async with asyncio.timeout(10):  # by the world's clock
            while writer.transport.is_reading():  # noqa: ASYNC110  asyncio tells nobody when it pauses
                await asyncio.sleep(0.01)
        assert len(reader._buffer) < len(data)  # type: ignore[attr-defined]
        assert await reader.readexactly(len(data)) == data


async def test_two_cannot_wait_at_once(world: World) -> None:
    async with world.stream() as (reader, writer, far):
        waiting = asyncio.ensure_future(reader.read(1))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="already waiting"):
            await reader.readline()
        far.write(b"x")
        assert await waiting == b"x"


async def test_a_reader_whose_wait_is_cancelled_goes_on_later(world: World) -> None:
    async with world.stream() as (reader, writer, far):
        waiting = asyncio.ensure_future(reader.readexactly(10))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        far.write(b"0123456789")
        assert await reader.readexactly(10) == b"0123456789"


@pytest.mark.parametrize("method", ["read", "readline", "readexactly", "readuntil"])
async def test_a_reset_is_what_readers_get(world: World, method: str) -> None:
    async with world.stream() as (reader, writer, far):
        values = (5,) if method == "readexactly" else ()
        waiting = asyncio.ensure_future(getattr(reader, method)(*values))
        await asyncio.sleep(0.05)
        far.abort()
        with pytest.raises(ConnectionResetError):
            await waiting
        with pytest.raises(ConnectionResetError):
            await reader.read()
        assert isinstance(reader.exception(), ConnectionResetError)
        with pytest.raises(ConnectionResetError):
            await writer.drain()


async def test_an_error_that_is_set_is_raised_by_the_reader(world: World) -> None:
    async with world.stream() as (reader, writer, far):
        writer._protocol.connection_lost(ZeroDivisionError())  # type: ignore[attr-defined]
        with pytest.raises(ZeroDivisionError):
            await reader.read()


async def test_draining(world: World) -> None:
    data = payload(MUCH[world.name])
    async with world.stream() as (reader, writer, far):
        await writer.drain()
        far_read = asyncio.ensure_future(far.read_exactly(len(data)))
        for at in range(0, len(data), len(data) // 50):
            writer.write(data[at : at + len(data) // 50])
            await writer.drain()
            low, high = writer.transport.get_write_buffer_limits()
            assert writer.transport.get_write_buffer_size() <= high
        assert await far_read == data


async def test_several_may_drain_at_once(world: World) -> None:
    async with world.stream() as (reader, writer, far):
        writer.transport.set_write_buffer_limits(high=1_000)
        data = bytes(MUCH[world.name] // 4)
        writer.write(data)
        drains = [asyncio.ensure_future(writer.drain()) for _ in range(5)]
        await asyncio.sleep(0)
        assert not any(each.done() for each in drains)
        assert await far.read_exactly(len(data)) == data
        await asyncio.gather(*drains)


async def test_those_who_drain_hear_of_the_end(world: World) -> None:
    async with world.stream() as (reader, writer, far):
        writer.transport.set_write_buffer_limits(high=0)
        far.hold()
        while not writer._protocol._paused:  # type: ignore[attr-defined]
            writer.write(bytes(100_000))
            await asyncio.sleep(0)
        drains = [asyncio.ensure_future(writer.drain()) for _ in range(3)]
        await asyncio.sleep(0.05)
        far.abort()
        for each in drains:
            with pytest.raises(ConnectionError):
                await each


async def test_a_writer_says_what_it_is(world: World) -> None:
    async with world.far_server() as server:
        reader, writer = await world.open_connection(*server.address)
        await server.accept()
        assert writer.get_extra_info("peername") == server.address
        assert writer.transport is not None and repr(writer.transport) in repr(writer)
        assert repr(writer.transport) in repr(reader)
        assert not writer.is_closing()
        writer.close()
        assert writer.is_closing()
        await writer.wait_closed()


async def test_lines_may_be_written_together(world: World) -> None:
    async with world.stream() as (reader, writer, far):
        writer.writelines([b"one\n", bytearray(b"two\n"), memoryview(b"three\n")])
        await writer.drain()
        assert await far.read_exactly(14) == b"one\ntwo\nthree\n"


async def test_waiting_for_the_end(world: World) -> None:
    async with world.stream() as (reader, writer, far):
        far.write(b"read\n")
        assert await reader.readline() == b"read\n"
        ended = asyncio.ensure_future(writer.wait_closed())
        await asyncio.sleep(0.05)
        assert not ended.done()
        writer.close()
        await ended
        assert await far.read() == b""


async def test_waiting_for_the_end_with_data_unread(world: World) -> None:
    async with world.stream() as (reader, writer, far):
        far.write(b"unread\n" * 10)
        assert await reader.readline() == b"unread\n"
        writer.close()
        await writer.wait_closed()


async def test_writing_and_draining_after_close(world: World) -> None:
    async with world.stream() as (reader, writer, far):
        writer.close()
        await writer.wait_closed()
        writer.write(b"too late")
        with pytest.raises(ConnectionResetError):
            await writer.drain()


async def test_the_end_that_comes_while_closing(world: World) -> None:
    async with world.stream() as (reader, writer, far):
        writer.write(b"bye")
        await far.read_exactly(3)
        far.close()
        writer.close()
        await writer.wait_closed()
        assert await reader.read() == b""


async def test_a_writer_that_is_dropped_warns_and_closes(world: World) -> None:
    async with world.far_server() as server:
        reader, writer = await world.open_connection(*server.address)
        far = await server.accept()
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            del writer
            gc.collect()
        assert [each.category for each in seen] == [ResourceWarning]
        assert await far.read() == b""
        assert await reader.read() == b""


async def test_a_server_of_streams(world: World) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello " + await reader.readline())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await world.start_server(serve) as server:
        async with world.dial(server) as far:
            far.write(b"world\n")
            assert await far.read() == b"hello world\n"


async def test_a_server_whose_callback_is_no_coroutine(world: World) -> None:
    seen: list[Any] = []

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(writer.get_extra_info("peername"))
        writer.close()

    async with await world.start_server(serve) as server:
        async with world.dial(server) as far:
            assert await far.read() == b""
    assert len(seen) == 1 and isinstance(seen[0][1], int)


async def test_an_error_in_the_callback_is_a_complaint(world: World) -> None:
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            raise LookupError
        finally:
            done.set()

    async with await world.start_server(serve) as server:
        async with world.dial(server):
            await done.wait()
            await asyncio.sleep(0.05)
            gc.collect()
    assert [type(each["exception"]) for each in world.complaints] == [LookupError]
    world.complaints.clear()
