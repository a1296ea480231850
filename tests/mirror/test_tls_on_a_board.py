"""`board.tls` over the real link and agent, on the virtual board, against OpenSSL in the memory network."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bridge.board import Board
from bridge.errors import AgentError, BoardOutOfMemory, LuaError
from bridge.mirror.tls import TLSSocket
from bridge.opening import open_board
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.memstream import MemoryStream
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from tests.mirror.test_on_a_board import HOST, client_of, on_a_board, payload, start
from tests.variants import by_night
from tests.virtual.modules.tls_bench import TlsStream, echo, issue, secure, server_context

SERVER = issue("server")


class Secured:
    """A TLS socket of the board with what happened to it."""

    def __init__(self, socket: TLSSocket) -> None:
        self.socket = socket
        self.data = bytearray()
        self.events: list[tuple[Any, ...]] = []
        self.news = asyncio.Event()
        for name in TLSSocket.EVENTS:
            socket.on(name, lambda socket, *values, name=name: self._note(name, *values))

    def _note(self, name: str, *values: Any) -> None:
        if name == "receive":
            self.data += values[0]
        self.events.append((name, *values))
        self.news.set()

    @property
    def names(self) -> list[str]:
        return [name for name, *_ in self.events]

    async def until(self, done: Callable[[], object]) -> None:
        async with asyncio.timeout(300):
            while not done():
                self.news.clear()
                await self.news.wait()


async def secured(board: Board, port: int = 443, host: str = HOST) -> Secured:
    made = Secured(await board.tls.createConnection())
    await made.socket.connect(port, host)
    await made.until(lambda: {"connection", "reconnection"} & {*made.names})
    return made


def on_tls(scenario: Callable[[Board, MemoryNetwork, VirtualBoard], Awaitable[None]], **options: object) -> None:
    on_a_board(scenario, **options)


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_data_goes_both_ways(lua: str) -> None:
    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.serve(HOST, 443, secure(server_context(SERVER), echo))
        peer = await secured(board)
        assert await peer.socket.getpeer() == (HOST, 443)
        sent = payload(4_000)
        await peer.socket.send(sent)
        await peer.until(lambda: len(peer.data) == len(sent))
        assert bytes(peer.data) == sent
        await peer.socket.close()
        await peer.until(lambda: "disconnection" in peer.names)
        assert peer.events[0] == ("dns", HOST) and peer.events[1] == ("connection",)
        assert peer.events[-1] == ("disconnection",)
        assert not peer.socket.must_stay

    on_tls(scenario, lua=lua)


#: Firmware without `ow`: the agent computes checks itself, and is larger.
WITHOUT_OW = "adc,bit,crypto,encoder,file,gpio,net,node,pipe,sjson,struct,tls,tmr,uart,wifi"
#: Bytes that are free at the worst moment, and a certificate of RSA that takes some more of them.
MARGIN, RSA_SERVER = 1_500, issue("server", "rsa", issue("authority", "rsa", ca=True))
EACH_BUILD = [
    {"lua": lua, "number": number} | modules
    for lua, number in (("5.1", "float"), ("5.3", "float"), ("5.1", "integer"))
    for modules in ({}, {"modules": WITHOUT_OW})
]

#: Those that need the most heap.
TIGHT = [EACH_BUILD[0], EACH_BUILD[3]]


@pytest.mark.parametrize("build", by_night(EACH_BUILD, but=TIGHT), ids=str)
def test_beside_a_plain_socket_that_moves_data_within_the_heap_of_a_real_board(build: dict[str, str]) -> None:
    async def feed(stream: MemoryStream) -> None:
        for number in range(60):
            stream.write(bytes([number]) * 1_000)
            await stream.drain()
        stream.close()

    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.serve(HOST, 80, feed)
        network.serve(HOST, 443, secure(server_context(RSA_SERVER), echo))
        await board.net.ifinfo()
        await board.exec(
            "local text for i = 1, 9 do text = ('x'):rep(90) .. i end"
        )  # garbage: nothing collects it for C
        plain = await client_of(board, 80)
        await plain.received(1_000)
        peer = await secured(board)
        assert ("connection",) in peer.events, peer.events
        assert not plain.ended.is_set(), "it was still moving data"
        await peer.socket.send(b"hello")
        await peer.until(lambda: peer.data or "reconnection" in peer.names)
        assert bytes(peer.data) == b"hello", peer.events
        await plain.socket.send(b"and on this one")
        for number in range(3):
            peer.data.clear()
            sent = payload(2_750, number)
            await peer.socket.send(sent)
            await peer.until(lambda sent=sent: len(peer.data) == len(sent) or "reconnection" in peer.names)
            assert bytes(peer.data) == sent, peer.names
        # A window for the plain one has no room beside an open TLS connection: it goes on behind it.
        await peer.socket.close()
        await peer.until(lambda: "disconnection" in peer.names)
        await plain.ended.wait()
        assert bytes(plain.data) == b"".join(bytes([number]) * 1_000 for number in range(60))
        lowest = virtual.statistics.lowest_heap
        print(f"lowest heap: {lowest} bytes")
        assert lowest is not None and lowest >= MARGIN

    on_tls(scenario, **build)


@pytest.mark.parametrize("build", by_night(EACH_BUILD, but=TIGHT), ids=str)
def test_the_first_plain_socket_may_come_while_a_tls_connection_stands(build: dict[str, str]) -> None:
    async def greet(stream: MemoryStream) -> None:
        stream.write(bytes(3_000))
        await stream.drain()
        stream.close()

    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.serve(HOST, 80, greet)
        network.serve(HOST, 443, secure(server_context(SERVER), echo))
        peer = await secured(board)
        await peer.socket.send(b"hello")
        await peer.until(lambda: bytes(peer.data) == b"hello")
        plain = await client_of(board, 80)
        await plain.ended.wait()
        assert len(plain.data) == 3_000 and plain.code == 0
        await peer.socket.send(b" again")
        await peer.until(lambda: bytes(peer.data) == b"hello again")

    on_tls(scenario, **build)


@pytest.mark.parametrize("build", by_night(EACH_BUILD, but=TIGHT), ids=str)
def test_three_kilobytes_at_once_are_borne_beside_a_plain_socket(build: dict[str, str]) -> None:
    async def burst(stream: TlsStream) -> None:
        stream.write(payload(3_000))
        await stream.read()

    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.serve(HOST, 80, drip)
        network.serve(HOST, 443, secure(server_context(SERVER), burst))
        await client_of(board, 80)
        peer = await secured(board)
        await peer.until(lambda: len(peer.data) == 3_000 or "reconnection" in peer.names)
        assert bytes(peer.data) == payload(3_000), [event[:2] for event in peer.events if event[0] != "receive"]

    on_tls(scenario, **build)


def test_a_socket_that_waits_for_heap_for_long_says_so() -> None:
    async def main() -> list[str]:
        async with VirtualBoard(VirtualOptions(clock="virtual")) as virtual:
            await virtual.answered()
            assert isinstance(virtual.network, MemoryNetwork)
            virtual.network.serve(HOST, 80, drip)
            port = VirtualPort(virtual)
            async with open_board(port, start=start) as board:
                faults: list[str] = []
                board.on("fault", faults.append)
                plain = await client_of(board, 80)
                await board.exec(
                    "ballast = {} collectgarbage() "
                    "while node.heap() > 7500 do ballast[#ballast+1] = ('x'):rep(300)..#ballast collectgarbage() end"
                )
                await asyncio.sleep(25)
                before = len(plain.data)
                await asyncio.sleep(1)
                assert len(plain.data) == before, "it is held"
                await board.exec("ballast = nil")
                await plain.received(before + 8_000)
                await asyncio.sleep(25)
            await port.close()
            return faults

    faults = clock.run(main())
    assert [fault[: fault.index(" s so far")] for fault in faults] == [
        f"A socket is held for want of heap on the board, for {seconds}" for seconds in (10, 20)
    ]


def test_a_server_that_resets_in_the_handshake() -> None:
    async def slam(stream: MemoryStream) -> None:
        await stream.read(100)
        stream.reset()

    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.serve(HOST, 443, slam)
        peer = await secured(board)
        assert peer.events[-1] == ("reconnection", "Connection reset")
        # The same object may try again, and another one too: nothing is held any more.
        network.serve(HOST, 444, secure(server_context(SERVER), echo))
        await peer.socket.connect(444, HOST)
        await peer.until(lambda: ("connection",) in peer.events)

    on_tls(scenario)


def test_a_server_that_closes_in_the_handshake() -> None:
    async def shut(stream: MemoryStream) -> None:
        await stream.read(100)
        stream.close()

    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.serve(HOST, 443, shut)
        peer = Secured(await board.tls.createConnection())
        await peer.socket.connect(443, HOST)
        await peer.until(lambda: {"disconnection", "reconnection"} & {*peer.names})
        assert not peer.socket.must_stay

    on_tls(scenario)


def test_a_name_that_nobody_knows() -> None:
    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.zone["nobody.test"] = "nx"
        network.zone["somebody.test"] = HOST
        network.serve(HOST, 443, secure(server_context(SERVER), echo))
        peer = Secured(await board.tls.createConnection())
        await peer.socket.connect(443, "nobody.test")
        await peer.until(lambda: peer.events)
        assert peer.events == [("dns", None)]
        assert not peer.socket.must_stay
        with pytest.raises(LuaError, match="already connected"):
            await peer.socket.connect(443, HOST)
        other = await secured(board, host="somebody.test")
        assert other.events == [("dns", HOST), ("connection",)]

    on_tls(scenario)


def test_too_little_heap_is_told_at_once_and_the_others_go_on() -> None:
    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.serve(HOST, 443, secure(server_context(SERVER), echo))
        network.serve(HOST, 80, drip)
        socket = await board.tls.createConnection()
        plain = await client_of(board, 80)
        await board.exec(
            "ballast = {} collectgarbage() "
            "while node.heap() > 13000 do ballast[#ballast+1] = ('x'):rep(300)..#ballast collectgarbage() end"
        )
        with pytest.raises(BoardOutOfMemory, match="18 432 bytes"):
            await socket.connect(443, HOST)
        before = len(plain.data)
        await plain.received(before + 8_000)
        await board.exec("ballast = nil")
        peer = await secured(board)
        assert ("connection",) in peer.events
        await peer.socket.close()

    on_tls(scenario)


async def drip(stream: MemoryStream) -> None:
    """Sends a little data for as long as somebody takes it."""
    with contextlib.suppress(ConnectionError):
        while True:
            stream.write(bytes(200))
            await stream.drain()
            await asyncio.sleep(0.1)


def test_silence_is_told_in_the_end() -> None:
    async def mute(stream: MemoryStream) -> None:
        await asyncio.Event().wait()

    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.serve(HOST, 443, mute)
        network.serve(HOST, 444, secure(server_context(SERVER), echo))
        first = Secured(await board.tls.createConnection())
        await first.socket.connect(443, HOST)
        second = asyncio.ensure_future(secured(board, 444))  # waits for the first one's end
        await first.until(lambda: "reconnection" in first.names)
        assert first.events == [("dns", HOST), ("reconnection", "Timeout")]
        assert ("connection",) in (await second).events
        assert first.names.count("disconnection") == 0

    on_tls(scenario)


def test_sends_of_any_length_and_several_at_once_arrive_whole() -> None:
    got = bytearray()

    async def take(stream: TlsStream) -> None:
        while data := await stream.read():
            got.extend(data)

    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.serve(HOST, 443, secure(server_context(SERVER), take))
        peer = await secured(board)
        texts = [bytes([number]) * size for number, size in enumerate((1, 1460, 1461, 5_000, 20_000))]
        await asyncio.gather(*(peer.socket.send(text) for text in texts))
        await peer.socket.close()
        await peer.until(lambda: "disconnection" in peer.names)
        await asyncio.sleep(1)
        assert bytes(got) == b"".join(texts)
        with pytest.raises(LuaError, match="not connected"):
            await peer.socket.send(b"x")

    on_tls(scenario)


def test_nothing_is_lost_before_a_handler_is_set_nor_while_it_is_held() -> None:
    async def greet(stream: TlsStream) -> None:
        stream.write(b"welcome ")
        stream.write(b"to the machine")
        await stream.close()

    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        network.serve(HOST, 443, secure(server_context(SERVER), greet))
        socket = await board.tls.createConnection()
        await socket.hold()
        await socket.connect(443, HOST)
        await asyncio.sleep(20)
        peer = Secured(socket)
        await peer.until(lambda: "connection" in peer.names)
        assert "receive" not in peer.names and "disconnection" not in peer.names
        await socket.unhold()
        await peer.until(lambda: "disconnection" in peer.names)
        assert bytes(peer.data) == b"welcome to the machine"
        assert peer.names[-1] == "disconnection"

    on_tls(scenario)


def test_a_firmware_without_tls_says_what_to_do() -> None:
    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        for work in (
            board.tls.createConnection(), board.tls.setDebug(1), board.tls.cert.verify(True),
            board.tls.cert.auth("x", "y"), board.net.createConnection(board.net.TCP, 1),
        ):  # fmt: skip
            with pytest.raises(AgentError, match="no module tls.*Flash an image"):
                await work

    with pytest.warns(DeprecationWarning):
        on_a_board(scenario, modules="file,net,node,ow,tmr,uart,wifi")
