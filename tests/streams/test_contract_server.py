"""What servers do, asyncio's own and a board's alike."""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import Callable

import pytest

from tests.streams.recording import Failing, Recording
from tests.streams.worlds import World


async def so(done: Callable[[], bool]) -> None:
    """Wait until it is so, of which nobody tells."""
    while not done():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_a_server_makes_a_protocol_for_each_client(world: World) -> None:
    made: list[Recording] = []

    def factory() -> Recording:
        made.append(Recording())
        return made[-1]

    server = await world.create_server(factory)
    assert server.is_serving() and len(server.sockets) == 1
    assert server.get_loop() is asyncio.get_running_loop()
    assert server.sockets[0].getsockname()[1] > 0
    async with world.dial(server) as one, world.dial(server) as two:
        one.write(b"one")
        two.write(b"two")
        await so(lambda: len(made) == 2)
        data = {await each.received(3) for each in made}
        assert data == {b"one", b"two"}
        made[0].transport.write(b"hello")
        made[1].transport.write(b"hello")
        assert await one.read_exactly(5) == await two.read_exactly(5) == b"hello"
        for each in made:
            host, port = each.transport.get_extra_info("sockname")
            assert port == server.sockets[0].getsockname()[1] and each.transport.get_extra_info("peername")[1]
        one.close(), two.close()
        assert [await each.ended() for each in made] == [None, None]
    server.close()
    await server.wait_closed()


async def test_a_server_that_begins_later(world: World) -> None:
    server = await world.create_server(Recording, start_serving=False)
    assert not server.is_serving()
    await server.start_serving()
    await server.start_serving()
    assert server.is_serving()
    async with world.dial(server):
        pass
    server.close()
    await server.wait_closed()


async def test_serving_for_ever_until_cancelled(world: World) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        main.cancel()
        writer.write(b"1")
        writer.close()
        await writer.wait_closed()

    server = await world.start_server(serve, start_serving=False)
    assert not server.is_serving()

    async def forever() -> None:
        async with server:
            await server.serve_forever()

    main = asyncio.ensure_future(forever())
    await so(server.is_serving)
    async with world.dial(server) as far:
        far.write(b"1" * 5_000 + b"\n")
        assert await far.read_exactly(1) == b"1"
    with pytest.raises(asyncio.CancelledError):
        await main
    assert server.sockets == () and not server.is_serving()
    with pytest.raises(RuntimeError, match="is closed"):
        await server.serve_forever()
    with pytest.raises((RuntimeError, TypeError)):  # the latter is a slip of asyncio's
        await server.start_serving()


async def test_serving_for_ever_ends_when_the_server_is_closed(world: World) -> None:
    server = await world.create_server(Recording)
    forever = asyncio.ensure_future(server.serve_forever())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="already being awaited"):
        await server.serve_forever()
    server.close()
    with pytest.raises(asyncio.CancelledError):
        await forever


async def test_connections_go_on_when_their_server_is_closed(world: World) -> None:
    made = asyncio.get_running_loop().create_future()
    server = await world.create_server(lambda: Recording(lambda transport: made.set_result(transport.get_protocol())))
    async with world.dial(server) as far:
        protocol = await made
        server.close()
        server.close()
        assert server.sockets == () and not server.is_serving()
        far.write(b"still here")
        assert await protocol.received(10) == b"still here"
        protocol.transport.close()
        assert await far.read() == b""
    await server.wait_closed()


async def test_a_closed_server_refuses(world: World) -> None:
    server = await world.create_server(Recording)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    with pytest.raises(ConnectionRefusedError):
        async with world.dial(port):
            pass


async def test_the_port_may_be_taken_again(world: World) -> None:
    server = await world.create_server(Recording)
    port = server.sockets[0].getsockname()[1]
    async with world.dial(server) as far:
        far.close()
    server.close()
    await server.wait_closed()
    async with await world.create_server(Recording, port) as again:
        assert again.sockets[0].getsockname()[1] == port


async def test_a_port_that_is_taken(world: World) -> None:
    async with await world.create_server(Recording) as server:
        with pytest.raises(OSError) as raised:
            await world.create_server(Recording, server.sockets[0].getsockname()[1])
        assert raised.value.errno == errno.EADDRINUSE


@pytest.mark.world(
    "board", "board-on-loopback"
)  # asyncio tells in debug mode only, and leaves its socket to the collector
async def test_a_factory_that_raises_serves_nobody_and_the_server_goes_on(world: World) -> None:
    made: list[Recording] = []

    def factory() -> Recording:
        if not made:
            made.append(Recording())
            raise LookupError
        made.append(Recording())
        return made[-1]

    async with await world.create_server(factory) as server:
        async with world.dial(server) as far:
            with contextlib.suppress(ConnectionError):
                assert await far.read() == b""
        async with world.dial(server) as far:
            far.write(b"x")
            await so(lambda: len(made) == 2)
            assert await made[1].received(1) == b"x"
            far.close()
            await made[1].ended()
    assert [type(each["exception"]) for each in world.complaints] == [LookupError]
    world.complaints.clear()


async def test_an_error_in_a_clients_protocol_is_that_clients(world: World) -> None:
    made: list[Recording] = []

    def factory() -> Recording:
        made.append(Failing("data_received", LookupError()))
        return made[-1]

    async with await world.create_server(factory) as server:
        async with world.dial(server) as far, world.dial(server):
            far.write(b"x")
            assert await far.read() == b""
            assert isinstance(await made[0].ended(), LookupError)
            await so(lambda: len(made) == 2)
            assert made[1].lost == []
            made[1].transport.abort()
    assert [type(each["exception"]) for each in world.complaints] == [LookupError]
    world.complaints.clear()


async def test_what_is_no_context(world: World) -> None:
    with pytest.raises(TypeError, match="SSLContext"):
        await world.create_server(Recording, ssl=True)


@pytest.mark.parametrize("option", ["ssl_handshake_timeout", "ssl_shutdown_timeout"])
async def test_what_means_something_with_tls_only_is_refused_without(world: World, option: str) -> None:
    with pytest.raises(ValueError, match="only meaningful with ssl"):
        await world.create_server(Recording, **{option: 5.0})
