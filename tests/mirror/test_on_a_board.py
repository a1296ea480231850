"""The mirror over the real link and agent, on the virtual board, clock and network: what a user's program sees."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from bridge.board import Board
from bridge.errors import BoardReset, LuaError
from bridge.mirror.tcp import TCPSocket
from bridge.opening import open_board
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.memstream import MemoryStream
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from bridge.wire.messages import CREDIT
from tests.mirror.client import Client
from tests.same_epoch import start

HOST = "10.77.0.1"
Scenario = Callable[[Board, MemoryNetwork, VirtualBoard], Awaitable[None]]


def on_a_board(scenario: Scenario, **options: object) -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual", **options)) as virtual:  # type: ignore[arg-type]
            await virtual.answered()
            assert isinstance(virtual.network, MemoryNetwork)
            port = VirtualPort(virtual)
            async with open_board(port, start=start) as board:
                faults: list[str] = []
                errors: list[object] = []
                board.on("fault", faults.append)
                board.on("error", lambda *values: errors.append(values))
                await scenario(board, virtual.network, virtual)
                assert faults == [] and errors == []
            await port.close()

    clock.run(main())


async def client_of(board: Board, port: int, host: str = HOST) -> Client:
    made = Client(await board.net.createConnection())
    await made.socket.connect(port, host)
    await made.connected.wait()
    return made


def payload(size: int, seed: int = 1) -> bytes:
    return Random(seed).randbytes(size)


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_a_hundred_kilobytes_each_way_at_once(lua: str) -> None:
    down, up = payload(100_000, 1), payload(30_000, 2)
    got: list[bytes] = []

    async def server(stream: MemoryStream) -> None:
        stream.write(down)
        got.append(await stream.read_exactly(len(up)))
        await stream.drain()
        stream.close()

    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.serve(HOST, 80, server)
        client = await client_of(board, 80)
        began = asyncio.get_running_loop().time()
        await client.socket.send(up)
        await client.ended.wait()
        seconds = asyncio.get_running_loop().time() - began
        assert bytes(client.data) == down and got == [up] and client.code == 0
        # The line does 11 520 bytes a second each way; without a window that keeps it busy this would take longer.
        assert seconds < 1.35 * len(down) / 11_520

    on_a_board(scenario, lua=lua)


def test_what_stock_does_is_what_the_mirror_shows() -> None:
    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        socket = await board.net.createConnection()
        assert await socket.getpeer() == (None, None)
        for work in (socket.send(b"x"), socket.close()):
            with pytest.raises(LuaError, match="not connected"):
                await work
        with pytest.raises(LuaError, match="socket is not open/bound yet"):
            await socket.ttl()
        refused = await client_of(board, 9)
        assert refused.code == -9
        held: list[MemoryStream] = []
        release = asyncio.Event()

        async def server(stream: MemoryStream) -> None:
            held.append(stream)
            await release.wait()

        network.serve(HOST, 80, server)
        client = await client_of(board, 80)
        assert await client.socket.getpeer() == (80, HOST)
        assert (await client.socket.getaddr())[1] == "10.77.0.2"
        assert await client.socket.ttl() == 255 and await client.socket.ttl(7) == 7
        with pytest.raises(LuaError, match="no data to send"):
            await client.socket.send(b"")
        with pytest.raises(LuaError, match="already connected"):
            await client.socket.connect(80, HOST)
        await client.socket.close()
        with pytest.raises(LuaError, match="not connected"):
            await client.socket.close()
        assert client.code is None, "an own close fires nothing"
        release.set()

    on_a_board(scenario)


def test_names() -> None:
    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.zone["host.test"] = "10.77.0.1"
        network.zone["nobody.test"] = "nx"
        assert await board.net.dns.resolve("host.test") == "10.77.0.1"
        assert await board.net.dns.resolve("nobody.test") is None
        seen: list[object] = []
        answered = asyncio.Event()
        await board.net.dns.resolve("host.test", lambda socket, ip: (seen.append((socket, ip)), answered.set()))
        await answered.wait()
        socket = await board.net.createConnection()
        answered.clear()
        await socket.dns("host.test", lambda socket, ip: (seen.append(ip), answered.set()))
        await answered.wait()
        assert seen == [(None, "10.77.0.1"), "10.77.0.1"]
        await board.net.dns.setdnsserver("10.77.0.1", 1)
        assert await board.net.dns.getdnsserver(1) == "10.77.0.1"
        with pytest.raises(LuaError, match="invalid dns server ip"):
            await board.net.dns.setdnsserver("nonsense")

    on_a_board(scenario)


def test_a_server_on_the_board_loses_nothing_of_early_clients() -> None:
    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        server = await board.net.createServer(30)

        async def echo(connection: TCPSocket) -> None:
            await asyncio.sleep(0.5)  # the data came long ago

            async def receive(connection: TCPSocket, data: bytes) -> None:
                await connection.send(data.upper())

            connection.on("receive", receive)

        await server.listen(8080, echo)
        assert await server.getaddr() == (8080, "0.0.0.0")

        async def one(number: int) -> bytes:
            stream = await network.open_connection("10.77.0.2", 8080)
            stream.write(b"client %d" % number)
            answer = await stream.read_exactly(8)
            stream.close()
            return answer

        answers = await asyncio.gather(*(one(number) for number in range(4)))
        assert answers == [b"CLIENT %d" % number for number in range(4)]
        with pytest.raises(LuaError, match="already listening"):
            await server.listen(8080, echo)
        await server.close()
        with pytest.raises(LuaError, match="not connected"):
            await server.close()

    on_a_board(scenario)


def test_datagrams() -> None:
    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        socket = await board.net.createUDPSocket()
        seen: list[tuple[object, ...]] = []
        arrived = asyncio.Event()
        socket.on("receive", lambda *values: (seen.append(values), arrived.set()))
        await socket.listen(5000)
        assert await socket.getaddr() == (5000, "0.0.0.0")
        peer = network.udp(HOST, 7000)
        peer.send(b"to the board", "10.77.0.2", 5000)
        await arrived.wait()
        assert seen == [(socket, b"to the board", 7000, HOST)]
        await socket.send(7000, HOST, b"from the board")
        assert await peer.receive() == (b"from the board", ("10.77.0.2", 5000))
        with pytest.raises(LuaError, match="invalid IP address"):
            await socket.send(7000, "host.test", b"x")
        await socket.close()

    on_a_board(scenario)


def test_a_slow_reader_holds_up_only_itself() -> None:
    page = payload(40_000)

    async def server(stream: MemoryStream) -> None:
        stream.write(page)
        await stream.drain()
        stream.close()

    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.serve(HOST, 80, server)
        gate = asyncio.Event()
        slow = Client(await board.net.createConnection())

        async def wait(socket: TCPSocket, data: bytes) -> None:
            await gate.wait()
            slow.data += data

        slow.socket.on("receive", wait)
        await slow.socket.connect(80, HOST)
        await asyncio.sleep(5)
        heap = await board.lua.node.heap()
        fast = await client_of(board, 80)
        await fast.ended.wait()
        assert bytes(fast.data) == page and slow.data == b""
        assert heap > 8000, "what the slow one does not read waits in the peer, not on the board"
        gate.set()
        await slow.ended.wait()
        assert bytes(slow.data) == page

    on_a_board(scenario)


@pytest.mark.parametrize("window", [3_000, 5_000])
def test_a_send_waits_for_minutes_for_a_peer_whose_window_is_full(window: int) -> None:
    data = payload(20_000)
    got: list[bytes] = []

    async def server(stream: MemoryStream) -> None:
        await asyncio.sleep(120)
        got.append(await stream.read_exactly(len(data)))

    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.serve(HOST, 80, server, receive_buffer=window)
        client = await client_of(board, 80)
        await client.socket.send(data)
        await client.ended.wait()
        assert got == [data]

    on_a_board(scenario)


def test_hold_and_unhold_of_the_user() -> None:
    page = payload(30_000)

    async def server(stream: MemoryStream) -> None:
        stream.write(page)
        await stream.drain()
        stream.close()

    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.serve(HOST, 80, server)
        client = Client(await board.net.createConnection())
        await client.socket.connect(80, HOST)
        await client.connected.wait()
        await client.socket.hold()
        await asyncio.sleep(10)
        held = len(client.data)
        assert held <= 2 * CREDIT
        await asyncio.sleep(10)
        assert len(client.data) == held
        await client.socket.unhold()
        await client.ended.wait()
        assert bytes(client.data) == page

    on_a_board(scenario)


def test_a_hundred_connections_leave_the_heap_where_it_was() -> None:
    async def server(stream: MemoryStream) -> None:
        stream.write(await stream.read(100))
        await stream.drain()
        stream.close()

    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.serve(HOST, 80, server)

        async def round_trip(number: int) -> None:
            client = await client_of(board, 80)
            await client.socket.send(b"%d" % number)
            await client.ended.wait()
            assert bytes(client.data) == b"%d" % number

        async def free() -> int:
            await asyncio.sleep(1)  # the last handlers end; before that their sockets are in use
            gc.collect()
            await asyncio.sleep(15)  # what the stack keeps of the last connections
            return int(await board.eval("collectgarbage() and node.heap()"))

        # The first ones load the agent's room, and let Lua's tables and registry grow to what is needed between two
        # collections.
        for number in range(40):
            await round_trip(number)
        left = []
        for _ in range(4):
            for number in range(50):
                await round_trip(number)
            left.append(await free())
        # How many sockets wait for Python's collector at the worst moment is its affair, and the agent's tables grow
        # and shrink by that; what is leaked never comes back. The smallest object costs eight bytes.
        assert max(left[1:]) >= left[0] - 300

    on_a_board(scenario, cpu=0)


def test_sockets_of_an_earlier_boot_are_dead_and_new_ones_work() -> None:
    async def server(stream: MemoryStream) -> None:
        stream.write(b"welcome")
        await stream.read()

    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.serve(HOST, 80, server)
        client = await client_of(board, 80)
        await client.received(7)
        gone: list[object] = []
        client.socket.when_gone(gone.append)
        await board.reset()
        assert isinstance(gone[0], BoardReset)
        with pytest.raises(BoardReset):
            await client.socket.send(b"x")
        client.data.clear()
        again = await client_of(board, 80)
        assert await again.received(7) == b"welcome" and client.data == b""

    on_a_board(scenario)


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_what_the_link_spares_comes_back_when_calls_need_it(lua: str) -> None:
    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        async def free() -> int:
            return int(await board.eval("(function() collectgarbage() collectgarbage() return node.heap() end)()"))

        server = await board.net.createServer()
        socket = await board.net.createUDPSocket()
        await server.listen(80, lambda connection: None)
        await socket.listen(90)
        timer = await board.lua.tmr.create()
        assert await timer.interval(1000) is None
        before = await free()
        link = board._link
        assert link is not None
        link.spare()
        assert before + 3_500 < await free()
        calls = [asyncio.ensure_future(board.lua.tostring(number)) for number in range(20)]
        await asyncio.sleep(0)  # they are on their way, or wait for their turn
        link.spare()
        assert await asyncio.gather(*calls) == [str(number).encode() for number in range(20)]
        assert await timer.stop() is False
        assert await server.getaddr() == (80, "0.0.0.0") and await socket.getaddr() == (90, "0.0.0.0")
        again = await board.net.createServer()
        await again.listen(81, lambda connection: None)
        assert await again.getaddr() == (81, "0.0.0.0")

    on_a_board(scenario, lua=lua)


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_a_board_that_is_closed_with_sockets_in_use_has_its_heap_again(lua: str) -> None:
    """Their callbacks knew the agent, and it its sockets: each closing left 15 KB, and the third agent had no room."""
    heaps: list[int] = []

    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual", lua=lua)) as virtual:
            await virtual.answered()
            assert isinstance(virtual.network, MemoryNetwork)
            virtual.network.serve(HOST, 80, lambda stream: stream.read(1))
            for _ in range(4):
                async with open_board(VirtualPort(virtual), start=start) as board:
                    heap = await board.exec("collectgarbage() collectgarbage() return node.heap()")
                    assert isinstance(heap, int)
                    heaps.append(heap)
                    await client_of(board, 80)
                    server, udp = await board.net.createServer(30), await board.net.createUDPSocket()
                    await server.listen(8080, lambda socket: None)
                    await udp.listen(53)
                    stream = await virtual.network.open_connection("10.77.0.2", 8080)
                    stream.write(b"held")
                    await asyncio.sleep(1)
                await asyncio.sleep(12)  # closed sockets stay in the stack for 10 s

    clock.run(main())
    assert max(heaps) - min(heaps) < 500, heaps
