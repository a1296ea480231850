"""The stack over the host's own sockets."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from bridge.virtual.lwip.address import from_dotted
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.hostnet import HostNetwork
from bridge.virtual.lwip.interface import Site
from bridge.virtual.lwip.stack import NetworkStack
from tests.virtual.lwip.bare import App, BareKernel, boot

_ADDRESSES = random.SystemRandom()


class Board:
    """A stack at an address of its own, and its peer's address."""

    def __init__(self) -> None:
        self.net = f"127.{_ADDRESSES.randrange(192, 224)}.{_ADDRESSES.randrange(256)}"
        self.ip, self.peer = f"{self.net}.2", f"{self.net}.1"
        first = from_dotted(self.peer)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((self.peer, 0))
            self.dns_port = sock.getsockname()[1]
        self.site = Site(from_dotted(self.ip), gateway=first, dns=first, dns_port=self.dns_port, hosts={b"a.test": 7})
        self.network = HostNetwork(self.site)
        self.kernel = BareKernel()
        self.stack: NetworkStack = boot(self.network, self.kernel)

    @asynccontextmanager
    async def serving(
        self, handler: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
    ) -> AsyncIterator[int]:
        server = await asyncio.start_server(handler, self.peer, 0)
        async with server:
            yield server.sockets[0].getsockname()[1]

    def connect(self, port: int) -> App:
        return App(self.stack).connect(from_dotted(self.peer), port)


def on_host(test: Callable[[Board], Awaitable[None]]) -> None:
    async def main() -> None:
        board = Board()
        try:
            async with asyncio.timeout(30):
                await test(board)
        finally:
            board.kernel.reset()

    asyncio.run(main())


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


def test_a_connection_comes_from_the_boards_address_and_port_and_echoes() -> None:
    async def test(board: Board) -> None:
        names = []

        async def named(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            names.append(writer.get_extra_info("peername"))
            await echo(reader, writer)

        async with board.serving(named) as port:
            app = board.connect(port)
            await app.until(lambda log: "connected" in log)
            board.stack.tcp.write(app.pcb, b"hello")
            await app.until(lambda log: bool(app.received()))
            assert app.log == ["connected", ("sent", 5), ("receive", b"hello")]
            assert names == [(board.ip, app.pcb.local_port)]
            board.stack.tcp.close(app.pcb)

    on_host(test)


def test_a_hundred_kilobytes_arrive_unchanged_both_ways() -> None:
    async def test(board: Board) -> None:
        data = random.Random(1).randbytes(100_000)
        async with board.serving(echo) as port:
            app = App(board.stack)
            at = 0

            def pump() -> None:
                nonlocal at
                while at < len(data) and board.stack.tcp.write(app.pcb, data[at : at + 1460]) is Err.OK:
                    at += 1460

            app.on["connected"] = app.on["sent"] = pump
            app.connect(from_dotted(board.peer), port)
            await app.until(lambda log: len(app.received()) == len(data))
            assert app.received() == data

    on_host(test)


def test_a_closed_port_refuses() -> None:
    async def test(board: Board) -> None:
        with socket.socket() as sock:
            sock.bind((board.peer, 0))
            port = sock.getsockname()[1]
        app = board.connect(port)
        await app.until(lambda log: bool(log))
        assert app.log == [("error", Err.RST)]

    on_host(test)


def test_the_ends_of_a_connection_look_to_each_side_as_they_are() -> None:
    async def test(board: Board) -> None:
        seen: asyncio.Queue[object] = asyncio.Queue()

        async def watch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            order = await reader.read(1)
            if order == b"f":
                writer.close()
                return
            if order == b"r":
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                return
            try:
                seen.put_nowait(await reader.read())
            except ConnectionResetError:
                seen.put_nowait("reset")
            writer.close()

        async with board.serving(watch) as port:
            for order, last in ((b"f", "fin"), (b"r", ("error", Err.RST))):
                app = board.connect(port)
                app.on["connected"] = lambda app=app, order=order: board.stack.tcp.write(app.pcb, order) and None
                await app.until(lambda log, last=last: bool(log) and log[-1] == last)
            for end, what in ((board.stack.tcp.close, b""), (board.stack.tcp.abort, "reset")):
                app = board.connect(port)
                app.on["connected"] = lambda app=app: board.stack.tcp.write(app.pcb, b"w") and None
                await app.until(lambda log: ("sent", 1) in log)
                end(app.pcb)
                assert await seen.get() == what

    on_host(test)


def test_pieces_arrive_as_the_peer_wrote_them() -> None:
    async def test(board: Board) -> None:
        async def pieces(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for _ in range(8):
                writer.write(b"x")  # asyncio sets TCP_NODELAY
            await reader.read()
            writer.close()

        async with board.serving(pieces) as port:
            app = board.connect(port)
            await app.until(lambda log: len(app.received()) == 8)
            assert app.sizes() == [1] * 8
            board.stack.tcp.close(app.pcb)

    on_host(test)


def test_a_peer_that_does_not_read_stops_the_board() -> None:
    async def test(board: Board) -> None:
        go = asyncio.Event()
        got: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        with socket.socket() as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            listening.bind((board.peer, 0))
            listening.listen(1)
            listening.setblocking(False)
            app = App(board.stack)
            sent = 0

            def pump() -> None:
                nonlocal sent
                while sent < 200_000 and board.stack.tcp.write(app.pcb, b"x" * 1000) is Err.OK:
                    sent += 1000

            app.on["connected"] = app.on["sent"] = pump
            app.connect(from_dotted(board.peer), listening.getsockname()[1])
            loop = asyncio.get_running_loop()
            connection, _ = await loop.sock_accept(listening)
            await app.until(lambda log: "connected" in log)
            stuck = -1
            while stuck != sent:
                stuck = sent
                await asyncio.sleep(0.5)
            assert sent < 30_000

            async def read() -> None:
                await go.wait()
                total = 0
                while total < 200_000:
                    total += len(await loop.sock_recv(connection, 65536))
                got.set_result(total)

            task = asyncio.ensure_future(read())
            go.set()
            assert await got == 200_000
            await task
            connection.close()

    on_host(test)


def test_hold_stops_a_writing_peer() -> None:
    async def test(board: Board) -> None:
        async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"z" * 60_000)
            await reader.read()
            writer.close()

        async with board.serving(flood) as port:
            app = App(board.stack)
            app.hold = True
            app.connect(from_dotted(board.peer), port)
            await app.until(lambda log: len(app.received()) == 5840)
            await asyncio.sleep(0.3)
            assert len(app.received()) == 5840
            app.hold = False
            board.stack.tcp.recved(app.pcb, 5840)
            await app.until(lambda log: len(app.received()) == 60_000)
            board.stack.tcp.close(app.pcb)

    on_host(test)


def test_a_server_takes_five_clients_and_the_sixth_cannot_even_connect() -> None:
    async def test(board: Board) -> None:
        server = App(board.stack)
        accepted = server.listen(8080)
        writers = []
        for number in range(1, 6):
            reader, writer = await asyncio.open_connection(board.ip, 8080)
            writers.append(writer)
            await server.until(lambda log, number=number: len(log) == number)
        accepted[0].happened("noted")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await asyncio.open_connection(board.ip, 8080)
        writers[0].close()
        await accepted[0].until(lambda log: "fin" in log)
        reader, writer = await asyncio.open_connection(board.ip, 8080)
        await server.until(lambda log: len(log) == 6)
        board.stack.tcp.write(accepted[5].pcb, b"hi")
        assert await reader.read(2) == b"hi"
        for other in (*writers, writer):
            other.close()
            with contextlib.suppress(ConnectionError):
                await other.wait_closed()

    on_host(test)


def test_a_listener_that_is_closed_refuses_and_its_port_is_free() -> None:
    async def test(board: Board) -> None:
        App(board.stack).listen(8080)
        board.stack.tcp.close_listener(board.stack.tcp.listening[0])
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(board.ip, 8080)
        App(board.stack).listen(8080)
        _, writer = await asyncio.open_connection(board.ip, 8080)
        writer.close()

    on_host(test)


def test_a_reset_board_resets_its_peers() -> None:
    async def test(board: Board) -> None:
        server = App(board.stack)
        server.listen(8080)
        reader, writer = await asyncio.open_connection(board.ip, 8080)
        await server.until(lambda log: bool(log))
        board.kernel.reset()
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(board.ip, 8080)
        writer.close()

    on_host(test)


def test_names_come_from_the_table_or_from_the_hosts_server() -> None:
    async def test(board: Board) -> None:
        from bridge.virtual.lwip import dns_message

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind((board.peer, board.dns_port))
            server.setblocking(False)
            loop = asyncio.get_running_loop()
            found: asyncio.Queue[tuple[bytes, int | None]] = asyncio.Queue()
            for name in (b"a.test", b"b.test"):
                board.stack.dns.resolve(name, lambda name, ip, arg: found.put_nowait((name, ip)), None)
                if name == b"b.test":
                    query, sender = await loop.sock_recvfrom(server, 600)
                    assert dns_message.asked_name(query) == b"b.test" and sender[0] == board.ip
                    await loop.sock_sendto(server, dns_message.respond(query, [9]), sender)
                assert await found.get() == (name, 7 if name == b"a.test" else 9)

    on_host(test)


def test_datagrams_both_ways() -> None:
    async def test(board: Board) -> None:
        pcb = board.stack.udp.new()
        assert pcb is not None
        board.stack.udp.bind(pcb, 0, 5000)
        got: asyncio.Queue[tuple[bytes, int]] = asyncio.Queue()
        pcb.recv = lambda arg, pcb, data, ip, port: got.put_nowait((data, port))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind((board.peer, 0))
            peer.setblocking(False)
            loop = asyncio.get_running_loop()
            board.stack.udp.send(pcb, b"ping", from_dotted(board.peer), peer.getsockname()[1])
            data, sender = await loop.sock_recvfrom(peer, 100)
            assert (data, sender) == (b"ping", (board.ip, 5000))
            await loop.sock_sendto(peer, b"pong", sender)
            assert await got.get() == (b"pong", peer.getsockname()[1])

    on_host(test)


def test_only_loopback_answers() -> None:
    async def test(board: Board) -> None:
        wire = board.stack.wire
        assert wire.echo_time(from_dotted("127.1.2.3")) is not None
        assert wire.echo_time(from_dotted("10.1.2.3")) is None
        assert wire.echo_time(board.site.address) is None
        app = App(board.stack).connect(from_dotted("10.1.2.3"), 80)
        await asyncio.sleep(0.1)
        assert app.log == []

    on_host(test)
