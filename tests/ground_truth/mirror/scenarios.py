"""What the peers do in each recording that can be played through the mirror.

The statements are in the recording; here is only what `scenarios/*.py` do besides sending them: the servers, and what
happens before a step of the recording at which the recorder only listened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bridge.virtual.lwip.memnet import Record
from bridge.virtual.lwip.memstream import MemoryStream
from tests.ground_truth.mirror.peers import NODE, PEER, Handler, Peers, echo, sink

Action = Callable[[Peers], Awaitable[None]]


async def _nothing(peers: Peers) -> None:
    """No peer is needed."""


@dataclass(frozen=True)
class Scenario:
    """A recording's peers.

    Attributes:
        prepare: puts the servers up.
        before: by number of a step, what the peers do before it.
        prelude: the recorder defined `ev` and `mk` first (`pre` in `scenarios/netlib.py`).
        pace: seconds of the board for one of the recorder's, whose ticks were slow while it played this.
        phase: fraction of a second at which the first statement runs; the board's name lookups are repeated once a
            second since power-on. Where a recorded answer came late in the recorder's patience, it depends on this.
        on_board: the statements call nothing of the network and act on the board's own strings and settings, so they
            are run there (`board.exec`).
        left_out: number of a statement that nothing on the board outlives but the prompt.
    """

    prepare: Action = _nothing
    before: dict[int, Action] = field(default_factory=dict)
    prelude: bool = True
    on_board: bool = False
    left_out: int | None = None
    pace: float = 1.0
    phase: float = 0.0


def serving(handler: Handler, **settings: bool) -> Action:
    """One server on port 7001."""

    async def prepare(peers: Peers) -> None:
        peers.serve(handler, **settings)

    return prepare


async def _bye(stream: MemoryStream, peers: Peers) -> None:
    stream.write(b"bye")
    await asyncio.sleep(0.3)
    stream.close()
    peers.saw("closed")


async def _close_soon(stream: MemoryStream, peers: Peers) -> None:
    await asyncio.sleep(0.2)
    stream.close()
    peers.saw("closed")


async def _chunks(stream: MemoryStream, peers: Peers) -> None:
    await asyncio.sleep(0.2)
    stream.write(bytes(0x41 + number % 26 for number in range(10240)))
    await asyncio.sleep(1.5)
    for number in range(10):
        stream.write(b"%d" % number * 100)
    await asyncio.sleep(0.8)
    stream.peer._nagle = False  # TCP_NODELAY
    for _ in range(20):
        stream.write(b"x")
        await asyncio.sleep(0)
    await asyncio.sleep(0.8)


async def _flood(stream: MemoryStream, peers: Peers) -> None:
    for _ in range(60):
        stream.write(b"z" * 1000)
        await asyncio.sleep(0.002)
    while stream.peer.queued:  # noqa: ASYNC110  # of a socket's buffer the kernel tells nobody either
        await asyncio.sleep(0.01)
    peers.saw("done", 60000)
    await asyncio.sleep(3)


async def _half_close(stream: MemoryStream, peers: Peers) -> None:
    stream.write(b"request")
    stream.write_eof()
    try:
        peers.saw("got", (await stream.read(100)).decode())
    except ConnectionError:
        peers.saw("err")


async def _names(peers: Peers) -> None:
    peers.serve(echo)
    peers.answer_names(
        {
            "ok.test": PEER,
            "multi.test": [PEER, "10.77.0.9"],
            "empty.test": "empty",
            "sf.test": "servfail",
            "drop.test": "drop",
        }
    )


async def _names_to_resolve(peers: Peers) -> None:
    zone: dict[str, Record] = {"ok.test": PEER, "empty.test": "empty", "multi.test": ["10.77.0.7", "10.77.0.9"]}
    peers.answer_names({**zone, **{f"d{number}.test": "drop" for number in range(9)}})


async def _two_names(peers: Peers) -> None:
    peers.answer_names({"drop.test": "drop", "ok.test": PEER})
    peers.serve(echo)


async def _no_names(peers: Peers) -> None:
    peers.answer_names({"sf.test": "servfail"})


async def _slow_names(peers: Peers) -> None:
    peers.answer_names({"slow.test": PEER}, delay=1.3)


def sending(key: str, data: bytes) -> Action:
    """A client of the board sends, and waits for the answer."""

    async def act(peers: Peers) -> None:
        peers.streams[key].write(data)
        answer = await peers.streams[key].read(4096)
        peers.saw(f"{key} got after server close" if data == b"B2" else f"{key} got", answer.decode())

    return act


def connecting(key: str) -> Action:
    """A client connects to the board."""

    async def act(peers: Peers) -> None:
        await peers.connect(key)

    return act


def closing(key: str) -> Action:
    """A client closes."""

    async def act(peers: Peers) -> None:
        peers.streams[key].close()

    return act


async def _refused(peers: Peers) -> None:
    try:
        await peers.connect("late", 1.0)
        peers.saw("connect after close", "ok")
    except OSError:
        peers.saw("connect after close", "[Errno 111] Connection refused")


async def _again(peers: Peers) -> None:
    await peers.connect("c")
    peers.saw("relisten ok")


def crowding(number: int | str, timeout: float = 2.0) -> Action:
    """One more client of many connects and reads."""

    async def act(peers: Peers) -> None:
        try:
            stream = await peers.connect(number, timeout)
            peers.saw(number, "connected", (await stream.read(4096)).decode())
        except TimeoutError:
            peers.saw(number, "fail", "timed out")

    return act


async def _silent_client(peers: Peers) -> None:
    await peers.connect("a")


async def _one_byte(peers: Peers) -> None:
    peers.streams["a"].write(b"x")


async def _link_down(peers: Peers) -> None:
    peers.streams["a"].vanish()


async def _datagrams(peers: Peers) -> None:
    port = peers.network.udp(PEER, 9000)

    async def read() -> None:
        while True:
            data, (ip, source) = await port.receive()
            peers.saw("peer got", len(data), data[:40].decode("latin-1"), (ip, source))

    peers.spawn(read())
    peers.datagrams = port


def datagram(data: bytes, to: int = 4096) -> Action:
    """The peer sends a datagram."""

    async def act(peers: Peers) -> None:
        assert peers.datagrams is not None
        peers.datagrams.send(data, NODE, to)

    return act


SCENARIOS: dict[str, Scenario] = {
    "dns_fail_timing": Scenario(_no_names, phase=0.65),
    "dns_slow": Scenario(_slow_names),
    "net_args": Scenario(prelude=False),
    "net_cb_error": Scenario(serving(echo)),
    "net_close_in_disc": Scenario(serving(_close_soon)),
    "net_close_local": Scenario(serving(echo)),
    "net_connect_ip": Scenario(serving(echo)),
    "net_dns_close_pending": Scenario(_two_names),
    "net_dns_connect": Scenario(_names, pace=0.95, phase=0.9),
    "net_dns_resolve": Scenario(_names_to_resolve),
    "net_gc": Scenario(serving(echo)),
    "net_halfclose": Scenario(serving(_half_close)),
    "net_hold": Scenario(serving(_flood, nodelay=True)),
    "net_peer_close": Scenario(serving(_bye)),
    "net_recv_chunks": Scenario(serving(_chunks)),
    "net_refused": Scenario(),
    "net_send_before_connected": Scenario(serving(echo)),
    "net_send_sizes": Scenario(serving(sink)),
    "net_server": Scenario(
        before={
            11: connecting("a"),
            12: sending("a", b"hello"),
            13: connecting("b"),
            14: sending("b", b"B"),
            15: sending("a", b"A2"),
            22: closing("a"),
            25: sending("b", b"B2"),
            26: _refused,
            32: _again,
            33: closing("b"),
        }
    ),
    "net_server_many": Scenario(
        before={
            **{number: crowding(number - 3) for number in range(3, 11)},
            11: closing(0),  # type: ignore[arg-type]
            12: crowding("after one closed", 4.0),
        }
    ),
    "net_server_out": Scenario(serving(echo)),
    "net_server_timeout": Scenario(
        before={5: _silent_client, 6: _one_byte, 7: _link_down, 16: _silent_client, 17: _one_byte, 18: _link_down}
    ),
    # The last statement allows Lua 4 096 bytes in all, and the agent has more.
    "net_str4096": Scenario(prelude=False, on_board=True, left_out=26),
    "net_udp": Scenario(
        _datagrams,
        before={
            11: datagram(b"reply"),
            12: datagram(b""),
            13: datagram(b"x" * 1472),
            14: datagram(b"y" * 1473),
            15: datagram(b"z" * 3000),
            16: datagram(b"\x00\xff\r\n"),
            79: datagram(b"ping", 5000),
            92: datagram(b"ping", 5000),
        },
    ),
    "net_unreachable": Scenario(),
}
