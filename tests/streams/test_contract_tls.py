"""What TLS on the host does, over asyncio's own sockets and a board's alike."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from tests.streams.recording import Buffered, Recording
from tests.streams.secured import BELIEVING, SHOWN, STRICT, SecuredFar, dialled, secured, silent
from tests.streams.test_contract_transport import payload
from tests.streams.worlds import World


@pytest.mark.parametrize("factory", [Recording, Buffered])
async def test_a_client_in_records_of_16_kilobytes(world: World, factory: Callable[[], Any]) -> None:
    data = payload(40_000)
    async with secured(world, factory) as (transport, protocol, far):
        assert protocol.calls == ["made"]
        assert transport.get_extra_info("sslcontext") is BELIEVING
        assert transport.get_extra_info("peercert")["subject"] == ((("commonName", "server"),),)
        assert transport.get_extra_info("cipher") and transport.get_extra_info("peername")[0] == world.host
        transport.write(data)
        assert await far.read_exactly(len(data)) == data
        far.write(data)
        assert await protocol.received(len(data)) == data
        far.close()
        assert await protocol.ended() is None
        assert protocol.calls == ["made", "data", "eof", "lost"]


async def test_streams(world: World) -> None:
    async def serve() -> None:
        far = SecuredFar(await server.accept(), SHOWN)
        await far.handshake()
        far.write(await far.read_exactly(5))
        far.close()

    async with world.far_server() as server:
        serving = asyncio.ensure_future(serve())
        reader, writer = await world.open_connection(*server.address, ssl=BELIEVING, server_hostname="server")
        writer.write(b"hello")
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()
        await serving


async def test_a_slow_handshake(world: World) -> None:
    async def slow() -> SecuredFar:
        far = SecuredFar(await server.accept(), SHOWN)
        await asyncio.sleep(0.5)
        await far.handshake()
        return far

    async with world.far_server() as server:
        shaking = asyncio.ensure_future(slow())
        transport, protocol = await world.create_connection(
            Recording, *server.address, ssl=BELIEVING, server_hostname="server", ssl_handshake_timeout=10
        )
        far = await shaking
        far.write(b"x")
        assert await protocol.received(1) == b"x"
        transport.abort()
        await protocol.ended()


async def test_a_certificate_that_is_not_believed(world: World) -> None:
    async def shake() -> None:
        with contextlib.suppress(OSError):
            await SecuredFar(await server.accept(), SHOWN).handshake()

    async with world.far_server() as server:
        shaking = asyncio.ensure_future(shake())
        with pytest.raises(ssl.SSLCertVerificationError):
            await world.create_connection(Recording, *server.address, ssl=STRICT, server_hostname="server")
        with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
            await asyncio.gather(
                world.create_connection(Recording, *server.address, ssl=BELIEVING, server_hostname="other"), shake()
            )
        await shaking


async def test_the_hosts_name_is_the_servers_unless_another_is_given(world: World) -> None:
    async def shake() -> None:
        with contextlib.suppress(OSError):
            await SecuredFar(await server.accept(), SHOWN).handshake()

    async with world.far_server() as server:
        with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
            await asyncio.gather(world.create_connection(Recording, *server.address, ssl=BELIEVING), shake())


async def test_a_handshake_that_takes_too_long(world: World) -> None:
    async with world.far_server() as server:
        serving = asyncio.ensure_future(server.accept())
        with pytest.raises(ConnectionAbortedError, match="SSL handshake is taking longer"):
            await world.create_connection(
                Recording, *server.address, ssl=BELIEVING, server_hostname="server", ssl_handshake_timeout=0.3
            )
        await silent(await serving)


@pytest.mark.parametrize("seconds", [0, -5])
async def test_what_is_no_time_for_a_handshake(world: World, seconds: float) -> None:
    async with world.connected(Recording) as (transport, protocol, far):
        with pytest.raises(ValueError, match="ssl_handshake_timeout"):
            await world.loop.start_tls(
                transport, protocol, BELIEVING, server_hostname="server", ssl_handshake_timeout=seconds
            )


@pytest.mark.parametrize("how", ["close", "abort"])
async def test_the_end_in_the_handshake(world: World, how: str) -> None:
    async def hang_up() -> None:
        far = await server.accept()
        await far.read(1)
        getattr(far, how)()

    async with world.far_server() as server:
        hanging = asyncio.ensure_future(hang_up())
        with pytest.raises(ConnectionError):
            await world.create_connection(Recording, *server.address, ssl=BELIEVING, server_hostname="server")
        await hanging


async def test_a_peer_that_speaks_no_tls(world: World) -> None:
    async def nonsense() -> None:
        far = await server.accept()
        far.write(b"220 mail.example.com ESMTP ready\r\n" * 20)
        await silent(far)

    async with world.far_server() as server:
        talking = asyncio.ensure_future(nonsense())
        with pytest.raises(ssl.SSLError):
            await world.create_connection(Recording, *server.address, ssl=BELIEVING, server_hostname="server")
        await talking


async def test_giving_up_in_the_handshake(world: World) -> None:
    async with world.far_server() as server:
        connecting = asyncio.ensure_future(
            world.create_connection(Recording, *server.address, ssl=BELIEVING, server_hostname="server")
        )
        far = await server.accept()
        await far.read(1)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        await silent(far)


# --- beginning TLS on a connection that stands ---


@pytest.mark.parametrize("factory", [Recording, Buffered])
async def test_start_tls_of_a_client(world: World, factory: Callable[[], Any]) -> None:
    data = payload(20_000)
    async with world.connected(Recording) as (transport, first, far):
        far.write(b"ready")
        assert await first.received(5) == b"ready"
        protocol, safe = factory(), SecuredFar(far, SHOWN)
        shaking = asyncio.ensure_future(safe.handshake())
        encrypted = await world.loop.start_tls(transport, protocol, BELIEVING, server_hostname="server")
        await shaking
        assert encrypted is not None and protocol.calls == []
        encrypted.write(data)
        assert await safe.read_exactly(len(data)) == data
        safe.write(data)
        assert await protocol.received(len(data)) == data
        assert bytes(first.data) == b"ready"
        encrypted.close()
        assert await safe.read() == b""
        safe.close()
        await protocol.ended()


async def test_start_tls_of_a_server(world: World) -> None:
    made: list[Recording] = []

    def factory() -> Recording:
        made.append(Recording())
        return made[-1]

    async with await world.create_server(factory) as server, world.dial(server) as far:
        far.write(b"?")
        while not made:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert await made[0].received(1) == b"?"
        protocol, safe = Recording(), SecuredFar(far, BELIEVING, "server")
        starting = asyncio.ensure_future(world.loop.start_tls(made[0].transport, protocol, SHOWN, server_side=True))
        await asyncio.sleep(0.05)
        await safe.handshake()
        encrypted = await starting
        assert encrypted is not None
        safe.write(b"hello")
        assert await protocol.received(5) == b"hello"
        encrypted.write(b"world")
        assert await safe.read_exactly(5) == b"world"
        safe.close()
        await protocol.ended()


async def test_start_tls_of_a_writer(world: World) -> None:
    async with world.stream() as (reader, writer, far):
        writer.write(b"plain")
        assert await far.read_exactly(5) == b"plain"
        safe = SecuredFar(far, SHOWN)
        shaking = asyncio.ensure_future(safe.handshake())
        await writer.start_tls(BELIEVING, server_hostname="server")
        await shaking
        writer.write(b"safe")
        assert await safe.read_exactly(4) == b"safe"
        safe.write(b"too\n")
        assert await reader.readline() == b"too\n"
        writer.close()
        assert await safe.read() == b""
        safe.close()
        await writer.wait_closed()


async def test_start_tls_that_is_given_up(world: World) -> None:
    async with world.connected(Recording) as (transport, protocol, far):
        starting = asyncio.ensure_future(world.loop.start_tls(transport, protocol, BELIEVING, server_hostname="server"))
        await far.read(1)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        await silent(far)


async def test_start_tls_with_a_peer_that_speaks_none(world: World) -> None:
    async with world.connected(Recording) as (transport, protocol, far):
        far.write(b"nonsense\r\n" * 20)
        with pytest.raises(ssl.SSLError):
            await world.loop.start_tls(transport, protocol, BELIEVING, server_hostname="server")
        await silent(far)


async def test_start_tls_that_takes_too_long(world: World) -> None:
    async with world.connected(Recording) as (transport, protocol, far):
        with pytest.raises(ConnectionAbortedError):
            await world.loop.start_tls(
                transport, protocol, BELIEVING, server_hostname="server", ssl_handshake_timeout=0.3
            )
        await silent(far)


async def test_start_tls_with_wrong_arguments(world: World) -> None:
    async with world.connected(Recording) as (transport, protocol, far):
        with pytest.raises(TypeError, match="SSLContext"):
            await world.loop.start_tls(transport, protocol, None)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="is not supported"):
            await world.loop.start_tls(None, protocol, BELIEVING)  # type: ignore[arg-type]


async def test_tls_within_tls(world: World) -> None:
    async with secured(world, Recording) as (transport, outer, far):
        protocol, inner = Recording(), SecuredFar(far, SHOWN)
        shaking = asyncio.ensure_future(inner.handshake())
        encrypted = await world.loop.start_tls(transport, protocol, BELIEVING, server_hostname="server")
        await shaking
        assert encrypted is not None
        encrypted.write(b"deep")
        assert await inner.read_exactly(4) == b"deep"
        inner.write(b"down")
        assert await protocol.received(4) == b"down"
        encrypted.abort()
        await protocol.ended()


# --- servers ---


async def test_a_server(world: World) -> None:
    data = payload(40_000)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert writer.get_extra_info("ssl_object").version()
        writer.write(await reader.readexactly(len(data)))
        writer.close()
        await writer.wait_closed()

    async with await world.start_server(serve, ssl=SHOWN, ssl_handshake_timeout=20) as server:
        async with dialled(world, server) as far:
            far.write(data)
            assert await far.read() == data
            far.close()


async def test_a_client_that_speaks_no_tls_is_nobody_elses_affair(world: World) -> None:
    made: list[Any] = []

    def factory() -> Recording:
        made.append(Recording())
        return made[-1]

    async with await world.create_server(factory, ssl=SHOWN) as server:
        async with world.dial(server) as far:
            far.write(b"GET / HTTP/1.0\r\n\r\n")
            await silent(far)
        async with dialled(world, server) as safe:
            safe.write(b"x")
            while not any(each.data for each in made):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            assert not made[0].calls or made[0].transport is not None
            safe.close()
            await made[-1].ended()


async def test_a_client_that_does_not_shake_hands(world: World) -> None:
    async with await world.create_server(Recording, ssl=SHOWN, ssl_handshake_timeout=0.3) as server:
        async with world.dial(server) as far:
            await silent(far)


# --- the end ---


async def test_what_was_written_leaves_before_the_farewell(world: World) -> None:
    data = payload(60_000)
    async with secured(world, Recording) as (transport, protocol, far):
        transport.write(data)
        transport.close()
        assert await far.read() == data
        far.close()
        assert await protocol.ended() is None


async def test_what_the_peer_sent_before_its_farewell_is_received(world: World) -> None:
    data = payload(60_000)
    async with secured(world, Recording) as (transport, protocol, far):
        far.write(data)
        far.close()
        assert await protocol.ended() is None
        assert bytes(protocol.data) == data


async def test_a_clean_farewell(world: World) -> None:
    async with secured(world, Recording) as (transport, protocol, far):
        far.farewell()
        assert await protocol.ended() is None
        assert protocol.calls == ["made", "eof", "lost"]
        assert transport.get_extra_info("nothing") is None


async def test_a_peer_without_a_farewell(world: World) -> None:
    async with secured(world, Recording, ssl_shutdown_timeout=0.5) as (transport, protocol, far):
        transport.write(b"bye")
        transport.close()
        assert await far.read_exactly(3) == b"bye"
        await protocol.ended()


async def test_writing_and_receiving_after_close(world: World) -> None:
    async with secured(world, Recording) as (transport, protocol, far):
        transport.close()
        transport.write(b"too late")
        far.write(b"too late")
        assert await far.read() == b""
        far.close()
        await protocol.ended()
        assert bytes(protocol.data) == b""


async def test_another_protocol_over_tls(world: World) -> None:
    async with secured(world, Recording) as (transport, first, far):
        second = Recording()
        transport.set_protocol(second)
        assert transport.get_protocol() is second
        far.write(b"x")
        assert await second.received(1) == b"x"
        assert first.calls == ["made"]


async def test_a_reset_over_tls(world: World) -> None:
    async with secured(world, Recording) as (transport, protocol, far):
        far.far.abort()
        assert isinstance(await protocol.ended(), ConnectionResetError)
