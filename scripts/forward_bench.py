"""What a stalled connection costs the others: five forwarded connections at once, one of which takes nothing.

python scripts/forward_bench.py [--seconds 15] [--baud 115200] [--port URL --host ADDRESS]

For each forward (-L, -R) and each direction: the rate of one connection alone, and the rates of four beside a fifth
that is stalled, added up, as a part of it. Both are measured in one run, so that a busy machine slows both. By default
on a virtual board by RFC 2217 with line and CPU at their own pace; on another board ADDRESS is this computer's, as the
board reaches it. Exit code 1 if the four reach less than 0.80 of the one.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from bridge.bench.process import board_process
from bridge.forward import local, open_forwards, remote
from bridge.opening import open_board
from bridge.virtual.options import VirtualOptions

#: Share of the single connection's rate that the four others must reach.
WANTED = 0.80
#: Seconds that connections run before they are measured.
WARM_UP = 4.0
#: Seconds that the stalled one runs alone before: what the systems on the way keep for it would else be taken from the
#: four as if it were not stalled.
FILLING = 12.0
#: Bytes that these systems are asked to keep.
SMALL = 4096
NETWORK = "127.61.17"

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


@dataclasses.dataclass
class Count:
    """Bytes that arrived, on all connections together."""

    bytes: int = 0


async def pour(writer: Writer) -> None:
    """Send for as long as the peer takes it."""
    while True:
        writer.write(b"x" * 4096)
        await writer.drain()


async def drink(reader: Reader, count: Count) -> None:
    """Take what comes."""
    while data := await reader.read(16_384):
        count.bytes += len(data)


@asynccontextmanager
async def serving(host: str, down: bool, count: Count) -> AsyncIterator[int]:
    """A server that pours, or takes: the first byte of a client says whether it is to be stalled. Gives its port."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: Reader, writer: Writer) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            stalled = await reader.readexactly(1) == b"s"
            if down:
                await pour(writer)
            elif stalled:
                await asyncio.Event().wait()
            else:
                await drink(reader, count)

    def connected(reader: Reader, writer: Writer) -> None:
        tasks.add(asyncio.ensure_future(serve(reader, writer)))

    sock = socket.create_server((host, 0))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    server = await asyncio.start_server(connected, sock=sock, limit=SMALL)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await ended(tasks)


async def ended(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel tasks, and wait for their ends."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def measured(address: tuple[str, int], down: bool, stalls: list[bool], count: Count, seconds: float) -> float:
    """Bytes per second of connections, without those that are stalled."""
    tasks: set[asyncio.Task[None]] = set()
    writers = []
    for stalled in stalls:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
        reader, writer = await asyncio.open_connection(sock=sock, limit=SMALL)
        writers.append(writer)
        writer.write(b"s" if stalled else b"g")
        if not down:
            tasks.add(asyncio.ensure_future(pour(writer)))
        elif not stalled:
            tasks.add(asyncio.ensure_future(drink(reader, count)))
        if stalled:
            await asyncio.sleep(FILLING)
    await asyncio.sleep(WARM_UP)
    loop = asyncio.get_running_loop()
    before, began = count.bytes, loop.time()
    await asyncio.sleep(seconds)
    rate = (count.bytes - before) / (loop.time() - began)
    await ended(tasks)
    for writer in writers:
        writer.transport.abort()
    return rate


async def measure(url: str, host: str, seconds: float, speeds: tuple[int, ...]) -> bool:
    """Print a line for each forward and direction; True if all reach what is wanted."""
    good = True
    async with open_board(url, speeds=speeds) as board:
        for kind in ("-L", "-R"):
            for down in (True, False):
                count = Count()
                async with serving(host if kind == "-L" else "127.0.0.1", down, count) as port:
                    forward = local(f"0:{host}:{port}") if kind == "-L" else remote(f"0:127.0.0.1:{port}")
                    rates = []
                    for stalls in ([False], [True, *[False] * 4]):
                        async with open_forwards(board, [forward]) as [running]:
                            rates.append(await measured(running.address, down, stalls, count, seconds))
                share = rates[1] / rates[0]
                good = good and share >= WANTED
                inward = down == (kind == "-L")
                print(
                    f"{kind} {'download' if down else 'upload'} ({'out of' if inward else 'into'} the board): "
                    f"one {rates[0]:.0f} B/s, four beside a stalled one {rates[1]:.0f} B/s, {share:.2f}"
                )
    return good


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--baud", type=int, default=115_200)
    parser.add_argument("--port")
    parser.add_argument("--host", default=f"{NETWORK}.1")
    given = parser.parse_args()
    speeds = () if given.baud == 115_200 else (given.baud,)
    run: Callable[[str], Awaitable[bool]] = lambda url: measure(url, given.host, given.seconds, speeds)  # noqa: E731
    if given.port is not None:
        return 0 if await run(given.port) else 1
    async with board_process(VirtualOptions(address=f"{NETWORK}.2"), rfc2217=True) as url:
        return 0 if await run(url) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
