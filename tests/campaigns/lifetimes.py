"""What comes and goes a thousand times on a board leaves nothing behind, neither there nor on the host.

python -m tests.campaigns.lifetimes --cycles 1000 --kind exchange --build "5.1 float"
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bridge.errors import LuaError
from bridge.mirror.tcp import TCPServer, TCPSocket
from bridge.virtual.lwip.memstream import MemoryStream
from tests.campaigns.stage import BOARD, BUILDS, PEER, Left, Stage, play
from tests.mirror.client import Client

#: Cycles after which the board has what it keeps: its rooms, the size of its tables.
WARM_UP = 50
#: Share of the heap by which two looks may differ.
ALLOWED = 0.01
#: Seconds between two cycles. A socket that the board closes first costs 184 bytes for 10 s (TIME_WAIT): of more than
#: four in a second, as many as the virtual clock would let be made, the heap would be full, of a real board too.
PAUSE = 0.3
#: Port of the peers' servers, of a port nobody serves, and of the board's server.
SERVED, CLOSED, LISTENING = 80, 81, 8080


async def connected(stage: Stage, port: int = SERVED) -> Client:
    """A new socket of the board, connected to a peer."""
    client = Client(await stage.board.net.createConnection())
    await client.socket.connect(port, PEER)
    await client.connected.wait()
    return client


async def echo(stream: MemoryStream) -> None:
    """A peer that sends back what comes, until the board closes."""
    while data := await stream.read(2000):
        stream.write(data)


async def exchange(stage: Stage, number: int) -> None:
    """Connect, send, receive, close; every second handle is released, the others are left to Python."""
    client = await connected(stage)
    await client.socket.send(b"%d" % number)
    await client.received(len(b"%d" % number))
    assert client.data == b"%d" % number
    await client.socket.close()
    if number % 2:
        await client.socket.release()


async def refused(stage: Stage, number: int) -> None:
    """Connect where nobody listens."""
    client = await connected(stage, CLOSED)
    assert client.code == -9


async def accepted(stage: Stage, number: int) -> None:
    """A peer connects to the board's server, which answers and closes; sometimes the peer closes or resets."""
    stream = await stage.network.open_connection(BOARD, LISTENING)
    stream.write(b"hello %d" % number)
    assert await stream.read(100) == b"HELLO %d" % number
    if number % 3 == 1:
        stream.close()
    elif number % 3 == 2:
        stream.abort()
    else:
        stream.write(b"end")
    with contextlib.suppress(ConnectionError):
        await stream.read()


async def serve(stage: Stage) -> TCPServer:
    """The board's server for `accepted`."""
    server = await stage.board.net.createServer(30)

    def greet(socket: TCPSocket) -> None:
        async def receive(socket: TCPSocket, data: bytes) -> None:
            if data == b"end":
                await socket.close()
            else:
                await socket.send(data.upper())

        socket.on("receive", receive)

    await server.listen(LISTENING, greet)
    return server


async def dropped(stage: Stage, number: int) -> None:
    """Handles that are dropped without a word: most have never been used, one in ten is connected, one listens."""
    if number % 10 == 0:
        socket = await stage.board.net.createConnection()
        open_now = asyncio.Event()
        await socket.connect(SERVED, PEER, lambda socket: open_now.set())
        await open_now.wait()
        socket.on("connection", None)  # one with handlers stays, as the stock firmware keeps it
    elif number % 10 == 1:
        server = await stage.board.net.createServer(30)
        await server.listen(9000, lambda socket: None)
        server.on("accept", None)
    elif number % 10 == 2:
        await stage.board.net.createUDPSocket()
    else:
        await stage.board.net.createConnection()


async def peer_resets(stage: Stage, number: int) -> None:
    """The peer resets the connection, at once or in the middle of what both send."""
    client = await connected(stage, 82)
    if number % 2:
        with contextlib.suppress(LuaError):
            await client.socket.send(b"x" * 3000)
    await client.ended.wait()
    assert client.code in (-8, -9), client.code


async def resetting(stream: MemoryStream) -> None:
    """The peer of `peer_resets`."""
    stream.write(b"y" * 2000)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.1):
            await stream.read(1)
    stream.abort()


async def closed_in_receive(stage: Stage, number: int) -> None:
    """The handler of the first data closes the socket, while more comes."""
    socket = await stage.board.net.createConnection()
    done = asyncio.Event()

    async def receive(socket: TCPSocket, data: bytes) -> None:
        await socket.close()
        done.set()

    socket.on("receive", receive)
    await socket.connect(83, PEER)
    await done.wait()


async def talking(stream: MemoryStream) -> None:
    """A peer that sends a little more than a window, and waits for the end."""
    stream.write(b"z" * 8000)
    with contextlib.suppress(ConnectionError):
        await stream.read()


async def closed_while_sending(stage: Stage, number: int) -> None:
    """A send is given up half-way; the socket is closed or released at once."""
    client = await connected(stage)
    sending = asyncio.ensure_future(client.socket.send(b"s" * 20_000))
    await asyncio.sleep(0.05 * (number % 5))
    sending.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sending
    if number % 2:
        await client.socket.close()
    else:
        await client.socket.release()


async def given_up_connecting(stage: Stage, number: int) -> None:
    """A task that makes and connects a socket is cancelled at some moment; a connection that stands the peer ends."""
    working = asyncio.ensure_future(connected(stage, 85))
    await asyncio.sleep(0.002 * (number % 12))
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working


async def impatient(stream: MemoryStream) -> None:
    """A peer that closes what brings nothing."""
    await asyncio.sleep(1)


async def listened_again(stage: Stage, number: int) -> None:
    """A server is closed and listens again on the same port, then the next one does; a client comes each time."""
    server = await stage.board.net.createServer(30)
    for _ in range(2):
        clients: asyncio.Queue[TCPSocket] = asyncio.Queue()
        await server.listen(8081, clients.put_nowait)
        stream = await stage.network.open_connection(BOARD, 8081)
        client = await clients.get()
        await client.close()
        assert await stream.read() == b""
        stream.close()
        await server.close()
        await asyncio.sleep(PAUSE)


async def connected_again(stage: Stage, number: int) -> None:
    """The same object connects again when the peer has ended its connection, and after a close of its own."""
    client = await connected(stage, 84)
    for turn in range(3):
        await client.received(4)
        await client.ended.wait()
        assert (client.data, client.code) == (b"page", 0)
        client.data = b""
        client.connected.clear()
        client.ended.clear()
        await client.socket.connect(84 if turn < 2 else SERVED, PEER)
        await client.connected.wait()
    await client.socket.close()


async def one_page(stream: MemoryStream) -> None:
    """A peer that sends a page and closes."""
    stream.write(b"page")


async def datagrams(stage: Stage, number: int) -> None:
    """A UDP socket listens, gets and sends a datagram, and is closed or dropped."""
    socket = await stage.board.net.createUDPSocket()
    came: asyncio.Queue[tuple[bytes, int, str]] = asyncio.Queue()
    socket.on("receive", lambda socket, *values: came.put_nowait(values))
    await socket.listen(5000 + number % 2)
    peer = stage.network.udp(PEER, 7000)
    peer.send(b"%d" % number, BOARD, 5000 + number % 2)
    data, port, ip = await came.get()
    await socket.send(port, ip, data)
    assert (await peer.receive())[0] == b"%d" % number
    await socket.close()
    if number % 2:
        await socket.release()


async def alarms(stage: Stage, number: int) -> None:
    """A timer with a Python function of its own rings once; or it is stopped before."""
    rung = asyncio.Event()
    timer = await stage.board.lua.tmr.create()
    await timer.alarm(1 if number % 3 else 60_000, 0, lambda timer: rung.set())
    if number % 3:
        await rung.wait()
    else:
        await timer.unregister()


async def lookups(stage: Stage, number: int) -> None:
    """A name is looked up in each of the three ways, with a function of its own."""
    assert await stage.board.net.dns.resolve("peer.test") == PEER
    found: asyncio.Queue[str | None] = asyncio.Queue()
    await stage.board.net.dns.resolve("peer.test", lambda socket, ip: found.put_nowait(ip))
    assert await found.get() == PEER
    socket = await stage.board.net.createConnection()
    await socket.dns("peer.test", lambda socket, ip: found.put_nowait(ip))
    assert await found.get() == PEER


Cycle = Callable[[Stage, int], Awaitable[None]]
KINDS: dict[str, Cycle] = {
    cycle.__name__.replace("_", " "): cycle
    for cycle in (
        exchange, refused, accepted, dropped, peer_resets, closed_in_receive, closed_while_sending,
        given_up_connecting, listened_again, connected_again, datagrams, alarms, lookups,
    )
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What was there after the warm-up and after all cycles, the least free heap in between, and the seconds.

    Attributes:
        lowest: bytes, garbage included.
        took: seconds of the board's time.
    """

    before: Left
    after: Left
    lowest: int | None
    took: float

    def judge(self) -> None:
        """Raise AssertionError if something is left."""
        assert abs(self.after.heap / self.before.heap - 1) <= ALLOWED, self
        # What the last cycles used may still be held: the function of a lookup, say.
        assert abs(self.after.references - self.before.references) <= 2, self
        assert (self.after.objects, self.after.books) == (self.before.objects, self.before.books), self
        assert self.after.host == self.before.host, self

    def __str__(self) -> str:
        return f"before: {self.before}\nafter: {self.after}\nlowest {self.lowest}, {self.took:.0f} s of the board"


def live(kind: str, cycles: int, build: str) -> Outcome:
    """Play cycles of a kind on a board of its own, and see what is left of them."""
    found: list[Outcome] = []

    async def scenario(stage: Stage) -> None:
        network = stage.network
        network.zone["peer.test"] = PEER
        for port, handler in ((SERVED, echo), (82, resetting), (83, talking), (84, one_page), (85, impatient)):
            network.serve(PEER, port, handler)
        server = await serve(stage) if kind == "accepted" else None
        cycle = KINDS[kind]
        for number in range(WARM_UP):
            await cycle(stage, number)
            await asyncio.sleep(PAUSE)
        before = await stage.left()
        stage.virtual.statistics.reset()
        began = stage.now
        for number in range(cycles):
            await cycle(stage, number)
            await asyncio.sleep(PAUSE)
        lowest, took = stage.virtual.statistics.lowest_heap, stage.now - began
        found.append(Outcome(before, await stage.left(), lowest, took))
        if server is not None:
            await server.release()

    play(scenario, limit=24 * 3600.0, **BUILDS[build])
    return found[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=1000)
    parser.add_argument("--kind", choices=[*KINDS, "all"], default="all")
    parser.add_argument("--build", choices=[*BUILDS, "all"], default="all")
    args = parser.parse_args()
    for kind in KINDS if args.kind == "all" else [args.kind]:
        for build in BUILDS if args.build == "all" else [args.build]:
            began = time.monotonic()
            outcome = live(kind, args.cycles, build)
            print(f"{kind}, {args.cycles} cycles on {build}:\n{outcome}", end="", flush=True)
            print(f", {time.monotonic() - began:.0f} s of this machine", flush=True)
            outcome.judge()


if __name__ == "__main__":
    main()
