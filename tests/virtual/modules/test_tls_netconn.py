"""The socket below TLS, played with a real stack and a peer in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bridge.virtual.lwip.address import from_dotted
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.memstream import MemoryStream
from bridge.virtual.mbedtls.fault import Code, TlsFault
from bridge.virtual.modules.tls_netconn import NUM_SOCKETS, NetConn, Wire
from bridge.virtual.sdk.kernel import OutOfHeap
from tests.virtual.bench import Bench
from tests.virtual.modules.net_bench import PEER, on_network


class Seen:
    """Writes down what happens to a socket."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def on_tcp(self) -> None:
        self.events.append("tcp")

    def on_end(self) -> None:
        self.events.append("end")

    def on_acknowledged(self, length: int) -> None:
        self.events.append(length)

    def on_error(self, err: Err) -> None:
        self.events.append(err)


def with_kernel(test: Callable[[Any, MemoryNetwork], Awaitable[None]]) -> None:
    async def run(bench: Bench, network: MemoryNetwork) -> None:
        await test(bench.firmware.system, network)

    on_network(run)


def test_bytes_both_ways_and_the_end() -> None:
    async def test(kernel: Any, network: MemoryNetwork) -> None:
        seen, sockets = Seen(), []
        free = kernel.heap.free()
        socket = NetConn(kernel, sockets, seen)
        assert socket.connect(from_dotted(PEER), 7001)
        await asyncio.sleep(0.1)
        assert seen.events == ["tcp"] and socket.receive(10) == b""
        socket.send(b"hello")
        await asyncio.sleep(0.1)
        assert seen.events == ["tcp", 5, "tcp"]
        assert (socket.receive(2), socket.receive(10), socket.receive(1)) == (b"he", b"llo", b"")
        socket.close()
        await asyncio.sleep(15)
        assert sockets == [] and seen.events == ["tcp", 5, "tcp"] and abs(kernel.heap.free() - free) < 50

    with_kernel(test)


def test_send_leaves_at_once_and_says_it_sent_all_when_it_did_not() -> None:
    got: list[int] = []

    async def count(stream: MemoryStream) -> None:
        got.append(len(await stream.read()))

    async def test(kernel: Any, network: MemoryNetwork) -> None:
        network.serve(PEER, 7002, count)
        seen = Seen()
        socket = NetConn(kernel, [], seen)
        socket.connect(from_dotted(PEER), 7002)
        await asyncio.sleep(0.1)
        socket.send(bytes(4000))
        await asyncio.sleep(1)
        socket.close()
        await asyncio.sleep(1)
        assert got == [2920]

    with_kernel(test)


def test_a_refused_port_and_no_fourth_socket() -> None:
    async def test(kernel: Any, network: MemoryNetwork) -> None:
        seen, sockets = Seen(), []
        socket = NetConn(kernel, sockets, seen)
        socket.connect(from_dotted(PEER), 9)
        await asyncio.sleep(0.1)
        assert seen.events == [Err.RST]
        socket.close()
        assert sockets == []
        for _ in range(NUM_SOCKETS):
            NetConn(kernel, sockets, seen)
        free = kernel.heap.free()
        with pytest.raises(OutOfHeap):
            NetConn(kernel, sockets, seen)
        assert kernel.heap.free() == free
        for each in list(sockets):
            each.close()

    with_kernel(test)


def test_a_connection_for_which_there_is_no_memory_gives_back_what_it_took() -> None:
    async def test(kernel: Any, network: MemoryNetwork) -> None:
        seen, sockets = Seen(), []
        free = kernel.heap.free()
        socket = NetConn(kernel, sockets, seen)
        socket.connect(from_dotted(PEER), 7001)
        taken = kernel.heap.claim(kernel.heap.free() - 1500)
        await asyncio.sleep(0.1)
        assert seen.events == []
        socket.close()
        await asyncio.sleep(15)
        kernel.heap.release(taken)
        assert sockets == [] and kernel.heap.free() == free

    with_kernel(test)


def test_a_wire_without_a_socket() -> None:
    wire = Wire()
    wire.free()
    for call in (lambda: wire.receive(1), lambda: wire.send(b"x")):
        with pytest.raises(TlsFault) as fault:
            call()
        assert fault.value.code == Code.NET_INVALID_CONTEXT
