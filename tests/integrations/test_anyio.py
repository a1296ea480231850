"""anyio over a virtual board that is served by RFC 2217, against real peers on loopback."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
from contextlib import suppress
from ipaddress import ip_address

import anyio
import anyio.abc
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream
from anyio.streams.tls import TLSAttribute, TLSStream

from bridge.errors import ConnectRefused, DNSFailed
from bridge.integrations.anyio import BoardListener, BoardStream, connect_tcp, create_tcp_listener
from tests.heap_baseline import heap_comes_back
from tests.integrations.rig import LARGE, NAME, OF_BOARD, Bench, believing, encrypted, run, unused, web_server
from tests.virtual.modules.tls_bench import server_context


async def echo(stream: anyio.abc.ByteStream) -> None:
    async with stream:
        with suppress(anyio.BrokenResourceError):
            async for data in stream:
                await stream.send(data)


def port_of(listener: anyio.abc.Listener[object]) -> int:
    return listener.extra(anyio.abc.SocketAttribute.local_port)


def test_a_stream_there_and_back() -> None:
    async def scenario(there: Bench) -> None:
        async with (
            await anyio.create_tcp_listener(local_host=there.host) as listener,
            anyio.create_task_group() as group,
        ):
            group.start_soon(listener.serve, echo)
            port = port_of(listener)
            async with await connect_tcp(there.board, NAME, port) as stream:
                assert stream.extra(anyio.abc.SocketAttribute.remote_address) == (there.host, port)
                assert stream.extra(anyio.abc.SocketAttribute.remote_port) == port
                assert stream.extra(anyio.abc.SocketAttribute.local_address)[0] == f"{there.network}.2"
                assert stream.extra(anyio.abc.SocketAttribute.family) == socket.AF_INET
                sent = LARGE[:30_000]
                async with anyio.create_task_group() as sending:
                    sending.start_soon(stream.send, sent)
                    assert await BufferedByteReceiveStream(stream).receive_exactly(len(sent)) == sent
                with pytest.raises(NotImplementedError):
                    await stream.send_eof()
                await stream.send(b"abcdef")
                assert await stream.receive(2) == b"ab"
                with pytest.raises(ValueError):
                    await stream.receive(0)
            group.cancel_scope.cancel()

    run(scenario)


def test_tls_of_the_host() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host, context=encrypted()) as server:
            stream = await connect_tcp(
                there.board, NAME, server.server_port, ssl_context=believing(), tls_standard_compatible=False
            )
            async with stream:
                assert isinstance(stream, TLSStream) and stream.extra(TLSAttribute.tls_version) == "TLSv1.3"
                await stream.send(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                received = b"".join([data async for data in stream])
                assert received.endswith(LARGE) and server.names == [NAME]
            with pytest.raises(ssl.SSLCertVerificationError):
                await connect_tcp(there.board, NAME, server.server_port, tls=True)

    run(scenario)


def test_tls_of_the_board() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host, context=server_context(OF_BOARD)) as server:
            async with await connect_tcp(there.board, NAME, server.server_port, tls="board") as stream:
                assert isinstance(stream, BoardStream)
                await stream.send(b"GET /close HTTP/1.1\r\nHost: a\r\n\r\n")
                assert b"".join([data async for data in stream]).endswith(b"the last one")

    run(scenario)


def test_a_listener_serves_plain_and_encrypted() -> None:
    async def scenario(there: Bench) -> None:
        async def encrypt(stream: BoardStream) -> None:
            await echo(
                await TLSStream.wrap(stream, server_side=True, ssl_context=encrypted(), standard_compatible=False)
            )

        for handler, context in ((echo, None), (encrypt, believing())):
            async with await create_tcp_listener(there.board) as listener, anyio.create_task_group() as group:
                group.start_soon(listener.serve, handler)
                client = await anyio.connect_tcp(
                    f"{there.network}.2",
                    port_of(listener),
                    ssl_context=context,
                    tls_hostname=NAME if context else None,
                    tls_standard_compatible=False,
                )
                async with client:
                    await client.send(b"hello")
                    assert await client.receive() == b"hello"
                group.cancel_scope.cancel()

    run(scenario)


def test_the_heap_of_the_board_comes_back() -> None:
    async def scenario(there: Bench) -> None:
        async def once() -> None:
            async with await create_tcp_listener(there.board) as listener, anyio.create_task_group() as group:
                group.start_soon(listener.serve, echo)
                async with await anyio.connect_tcp(f"{there.network}.2", port_of(listener)) as client:
                    await client.send(b"hello")
                    assert await client.receive() == b"hello"
                group.cancel_scope.cancel()
            async with await connect_tcp(there.board, NAME, server.server_port) as stream:
                await stream.send(b"GET /close HTTP/1.1\r\nHost: x\r\n\r\n")
                assert (await stream.receive()).startswith(b"HTTP/1.1 200")

        with web_server(there.host) as server:
            await heap_comes_back(there.board, once)

    run(scenario)


def test_who_waits_for_a_client_hears_that_the_listener_is_closed() -> None:
    async def scenario(there: Bench) -> None:
        listener = await create_tcp_listener(there.board, local_port=8080)
        waiting = asyncio.ensure_future(listener.accept())
        async with await anyio.connect_tcp(f"{there.network}.2", 8080):
            await (await waiting).aclose()
        waiting = asyncio.ensure_future(listener.serve(echo))
        await asyncio.sleep(0)
        # This one is never accepted, and let go with the listener.
        async with await anyio.connect_tcp(f"{there.network}.2", 8080):
            await listener.aclose()
            with pytest.raises((anyio.ClosedResourceError, ExceptionGroup)):
                await waiting
        with pytest.raises(anyio.ClosedResourceError):
            await listener.accept()
        await listener.aclose()

    run(scenario)


def test_a_client_that_comes_as_its_acceptor_is_cancelled_is_the_next_ones() -> None:
    class Cancelling(BoardListener):
        def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            super()._accepted(reader, writer)
            first.cancel()

    async def scenario(there: Bench) -> None:
        nonlocal first
        listener = Cancelling()
        await listener.begin(there.board, 8080, None)
        async with listener:
            first = asyncio.ensure_future(listener.accept())
            async with await anyio.connect_tcp(f"{there.network}.2", 8080) as client:
                with pytest.raises(asyncio.CancelledError):
                    await first
                with anyio.fail_after(10):
                    await (await listener.accept()).aclose()
                    with pytest.raises(anyio.EndOfStream):
                        await client.receive()

    first: asyncio.Future[BoardStream]
    run(scenario)


def test_a_listener_that_is_closed_leaves_its_port_to_others() -> None:
    async def scenario(there: Bench) -> None:
        async with await create_tcp_listener(
            there.board, local_port=8080, local_host=ip_address("0.0.0.0")
        ) as listener:
            assert port_of(listener) == 8080
        # Not by the order in which the board is asked: nobody is there when the listener says that it has closed.
        with pytest.raises(OSError):
            await anyio.connect_tcp(f"{there.network}.2", 8080)

    run(scenario)


def test_a_port_that_is_taken() -> None:
    async def scenario(there: Bench) -> None:
        async with await create_tcp_listener(there.board, local_port=8080):
            with pytest.raises(OSError, match="8080"):
                await create_tcp_listener(there.board, local_port=8080)

    run(scenario)


def test_what_does_not_come_about() -> None:
    async def scenario(there: Bench) -> None:
        with pytest.raises(anyio.ConnectionFailed, match="refuses the connection") as caught:
            await connect_tcp(there.board, NAME, unused(there.host))
        assert isinstance(caught.value.__cause__, ConnectRefused)
        with pytest.raises(anyio.ConnectionFailed) as caught:
            await connect_tcp(there.board, "::1", 80)
        assert isinstance(caught.value.__cause__, DNSFailed)
        with pytest.raises(TimeoutError):
            with anyio.fail_after(0.3):
                await connect_tcp(there.board, "198.51.100.1", 80)

    run(scenario)


def test_streams_that_end() -> None:
    async def scenario(there: Bench) -> None:
        clients: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
        async with await asyncio.start_server(lambda _, writer: clients.put_nowait(writer), there.host) as server:
            port = server.sockets[0].getsockname()[1]
            # The peer closes.
            async with await connect_tcp(there.board, NAME, port) as stream:
                (await clients.get()).close()
                with pytest.raises(anyio.EndOfStream):
                    await stream.receive()
            # The peer resets.
            async with await connect_tcp(there.board, NAME, port) as stream:
                peer = await clients.get()
                peer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                peer.transport.abort()
                with pytest.raises(anyio.BrokenResourceError) as caught:
                    await stream.receive()
                assert isinstance(caught.value.__cause__, ConnectionResetError)
                with pytest.raises(anyio.BrokenResourceError):
                    await stream.send(b"too late")
            # It is closed here, while somebody waits, and only one may wait.
            stream = await connect_tcp(there.board, NAME, port)
            peer = await clients.get()
            waiting = asyncio.ensure_future(stream.receive())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            with pytest.raises(anyio.BusyResourceError):
                await stream.receive()
            await stream.aclose()
            with pytest.raises(anyio.ClosedResourceError):
                await waiting
            for call in (stream.receive(), stream.send(b"x")):
                with pytest.raises(anyio.ClosedResourceError):
                    await call
            await stream.aclose()
            peer.transport.abort()

    run(scenario)


def test_who_sends_while_it_is_closed_hears_of_it() -> None:
    async def scenario(there: Bench) -> None:
        leave = asyncio.Event()

        async def take_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await leave.wait()
            writer.transport.abort()

        async with await asyncio.start_server(take_nothing, there.host) as server:
            port = server.sockets[0].getsockname()[1]
            stream = await connect_tcp(there.board, ip_address(there.host), port)
            sending = asyncio.ensure_future(stream.send(bytes(8_000_000)))
            await there.board.node.heap()
            assert not sending.done()
            await anyio.aclose_forcefully(stream)
            with pytest.raises(anyio.ClosedResourceError):
                await sending
            leave.set()

    run(scenario)


def test_a_peer_that_says_farewell_and_goes_is_no_failure() -> None:
    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with encrypted().wrap_socket(connection, server_side=True) as stream:
            stream.sendall(b"hello")
            stream.settimeout(0)
            with suppress(ssl.SSLWantReadError):  # says farewell, and waits for none
                stream.unwrap()

    async def scenario(there: Bench) -> None:
        with socket.create_server((there.host, 0)) as listener:
            server = threading.Thread(target=serve, args=(listener,))
            server.start()
            host, port = listener.getsockname()
            async with await connect_tcp(there.board, host, port, ssl_context=believing(), tls_hostname=NAME) as stream:
                assert isinstance(stream, TLSStream) and stream.standard_compatible
                assert [data async for data in stream] == [b"hello"]
                await asyncio.to_thread(server.join)
                await there.settled(there.handles)  # the board has heard it

    run(scenario)


def test_what_is_sent_to_who_has_gone() -> None:
    async def scenario(there: Bench) -> None:
        async with await asyncio.start_server(lambda _, writer: writer.close(), there.host) as server:
            async with await connect_tcp(there.board, NAME, server.sockets[0].getsockname()[1]) as stream:
                with pytest.raises(anyio.EndOfStream):
                    await stream.receive()
                await stream.send(b"lost")
                for _ in range(2):
                    with pytest.raises(anyio.BrokenResourceError):
                        await stream.send(b"too late")

    run(scenario)


def test_a_board_that_restarts() -> None:
    async def scenario(there: Bench) -> None:
        async with (
            await anyio.create_tcp_listener(local_host=there.host) as listener,
            anyio.create_task_group() as group,
        ):
            group.start_soon(listener.serve, echo)
            async with (
                await create_tcp_listener(there.board, local_port=8080) as ours,
                await connect_tcp(there.board, NAME, port_of(listener)) as stream,
            ):
                await stream.send(b"x")
                assert await stream.receive() == b"x"
                waiting = [asyncio.ensure_future(ours.accept()), asyncio.ensure_future(stream.receive())]
                await there.board.reset()
                for outcome in await asyncio.gather(*waiting, return_exceptions=True):
                    assert isinstance(outcome, anyio.BrokenResourceError)
                    assert isinstance(outcome.__cause__, ConnectionResetError)
            group.cancel_scope.cancel()

    run(scenario)
