"""Small calls: how long one takes, how many fit a second, and what one costs on the wire."""

from __future__ import annotations

import asyncio
import random
import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bridge.bench.plan import Amounts
from bridge.bench.rig import Rig
from bridge.board import Board
from bridge.errors import LinkTimeout
from bridge.mirror.tcp import TCPSocket

#: What is sent, in one call.
SMALL = b"8 bytes!"
#: Seconds within which the reply to a call has been acknowledged, whatever the adapter's latency.
ACKNOWLEDGED_S = 0.1
#: Seconds after which nothing that a send brings about is still to come.
QUIET_S = 1.04
#: Up to so many seconds more pass before a sample. lwIP's timer, with which the peer's acknowledgement is told, ticks
#: every 0.25 s by its own time and every 0.29 s by a clock: so samples fall everywhere between two ticks, and cannot
#: keep step with them, whatever a call takes.
SPREAD_S = 0.6
#: Seconds for the board to connect to a peer beside it.
CONNECT_S = 20.0


@dataclass(frozen=True)
class CallFigures:
    """Seconds, calls per second, and bytes on the wire both ways."""

    heap_seconds: tuple[float, ...]
    send_seconds: tuple[float, ...]
    heap_per_second: float
    send_per_second: float
    wire_bytes: float
    wire_samples: int
    pipelined_heap_per_second: float
    pipelined_send_per_second: float
    pipelined_heap_wire_bytes: float


async def measure_calls(rig: Rig, board: Board, amounts: Amounts) -> CallFigures:
    """Measure `node.heap()` and an 8-byte `send` on a connected socket.

    Raises:
        BridgeError: the board has no network, or does not answer.
    """

    async def heap() -> object:
        return await board.lua.node.heap()

    await heap()
    heap_seconds = await _one_by_one(heap, amounts.round_trips)
    before = rig.port.moved
    heap_pipelined = await _at_once(heap, amounts.pipelined)
    pipelined_bytes = (rig.port.moved - before) / amounts.pipelined
    async with rig.sink(board) as (port, host):
        socket = await _connected(board, port, host)

        async def send() -> None:
            await socket.send(SMALL)

        await send()
        wire = await _on_the_wire(rig, socket, amounts.wire_samples)
        send_seconds = await _one_by_one(send, amounts.round_trips)
        await asyncio.sleep(QUIET_S)
        send_pipelined = await _at_once(send, amounts.pipelined)
        await socket.close()
    return CallFigures(
        tuple(heap_seconds),
        tuple(send_seconds),
        len(heap_seconds) / sum(heap_seconds),
        len(send_seconds) / sum(send_seconds),
        statistics.median_high(wire),
        len(wire),
        heap_pipelined,
        send_pipelined,
        pipelined_bytes,
    )


async def _connected(board: Board, port: int, host: str) -> TCPSocket:
    socket = await board.net.createConnection()
    connected = asyncio.Event()
    socket.on("connection", lambda socket: connected.set())
    await socket.connect(port, host)
    try:
        async with asyncio.timeout(CONNECT_S):
            await connected.wait()
    except TimeoutError as error:
        raise LinkTimeout(
            f"The board did not connect to this computer at {host} within {CONNECT_S:g} s",
            port=board.url,
            remedy="Check that both are in one network, and that no firewall is between them.",
        ) from error
    return socket


async def _one_by_one(call: Callable[[], Awaitable[object]], count: int) -> list[float]:
    loop = asyncio.get_running_loop()
    seconds = []
    for _ in range(count):
        began = loop.time()
        await call()
        seconds.append(loop.time() - began)
    return seconds


async def _at_once(call: Callable[[], Awaitable[object]], count: int) -> float:
    """Calls per second when all are started at once."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(*(call() for _ in range(count)))
    return count / (loop.time() - began)


async def _on_the_wire(rig: Rig, socket: TCPSocket, samples: int) -> list[int]:
    """Bytes on the wire for single sends: the call, the reply, and their acknowledgements.

    The "sent" event is no part of the call. A sample in which one came too early is dropped.
    """
    events = 0

    def sent(socket: object) -> None:
        nonlocal events
        events += 1

    found: list[int] = []
    socket.on("sent", sent)
    spread = random.Random("between two ticks")  # the same in each run
    for _ in range(4 * samples):
        await asyncio.sleep(QUIET_S + spread.uniform(0, SPREAD_S))
        before, events_before = rig.port.moved, events
        await socket.send(SMALL)
        await asyncio.sleep(ACKNOWLEDGED_S)
        if events == events_before:
            found.append(rig.port.moved - before)
        if len(found) == samples:
            break
    socket.on("sent", None)
    await asyncio.sleep(QUIET_S)
    if not found:
        raise LinkTimeout("No send could be told apart from what follows it", port=rig.port.url)
    return found
