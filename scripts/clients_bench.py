"""How many short clients of a listener of the board are served: several at once, whoever closes first.

python scripts/clients_bench.py [--size 500,3000] [--closes server,client] [--requests 100] [--clients 5] [--runs 2]
python scripts/clients_bench.py --curl [the same]

Each client connects, asks, reads a page, compares it, and the next one comes at once. By default all runs on the
virtual clock, with a network in memory and `board.start_server`; runs differ by the board's seed. `--curl`: on the wall
clock, with curl as the clients and `forward -R` to a server of this computer. For each size of a page and side that
closes first: requests that failed (turned away, reset, cut), what went wrong and how often, seconds, the least heap
and the most connections in TIME_WAIT (both on the virtual clock alone). Near an empty heap one failure draws others
after it, and a few more or less say nothing. Exit code 1 if one failed.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bridge.bench.process import board_process
from bridge.errors import BridgeError
from bridge.forward import open_forwards, remote
from bridge.opening import open_board
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.stack import NetworkStack
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort

PORT = 8080
#: What curl sends, but for its first line.
FIELDS = "Host: 10.77.0.2:8080\r\nUser-Agent: curl/8.14.1\r\nAccept: */*\r\n\r\n"
#: Seconds that a client waits for its page.
PATIENCE = 60.0

#: Asks for a page by its number; gives what came.
Asking = Callable[[int], Awaitable[bytes]]


class Failed(Exception):
    """A request came to nothing; why."""


@dataclass
class Served:
    """What came of one run."""

    good: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    least_heap: int | None = None
    time_wait: int = 0

    def __str__(self) -> str:
        failed = sum(self.failed.values())
        heap = "" if self.least_heap is None else f", least heap {self.least_heap}, {self.time_wait} in TIME_WAIT"
        said = "".join(f"; {count} {what}" for what, count in self.failed.most_common(4))
        return f"{failed} of {failed + self.good} failed, {self.seconds:.0f} s{heap}{said}"


@dataclass(frozen=True)
class Load:
    """What clients do."""

    clients: int
    requests: int
    size: int
    server_closes: bool

    def page(self, number: int) -> bytes:
        """A page that is like no other."""
        return random.Random(number).randbytes(self.size)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client."""
        try:
            question = await reader.readuntil(b"\r\n\r\n")
            closes = "close" if self.server_closes else "keep-alive"
            writer.write(f"HTTP/1.1 200 OK\r\nConnection: {closes}\r\nContent-Length: {self.size}\r\n\r\n".encode())
            await writer.drain()
            writer.write(self.page(int(question.split()[1][1:])))
            if not self.server_closes:
                await reader.read()
        except (OSError, BridgeError, asyncio.IncompleteReadError):
            pass
        writer.close()

    async def ask_all(self, ask: Asking) -> Served:
        """Let all clients come."""
        left = iter(range(self.requests))
        served, loop = Served(), asyncio.get_running_loop()

        async def client() -> None:
            for number in left:
                try:
                    async with asyncio.timeout(PATIENCE):
                        page, wanted = await ask(number), self.page(number)
                except TimeoutError:
                    served.failed[f"no whole page within {PATIENCE:g} s"] += 1
                except (Failed, ConnectionError) as error:
                    served.failed[str(error)] += 1
                else:
                    if page == wanted:
                        served.good += 1
                    else:
                        served.failed["cut" if wanted.startswith(page) and page else "closed without an answer"] += 1

        began = loop.time()
        await asyncio.gather(*(client() for _ in range(self.clients)))
        served.seconds = loop.time() - began
        return served


async def on_the_virtual_clock(load: Load, options: VirtualOptions) -> Served:
    """A board, a server, its clients."""

    async def ask(number: int) -> bytes:
        stream = await network.open_connection(address, PORT)
        stream.write(f"GET /{number} HTTP/1.1\r\n{FIELDS}".encode())
        try:
            answer = b""
            while load.server_closes or len(answer.partition(b"\r\n\r\n")[2]) < load.size:
                part = await stream.read(65_536)
                if not part:
                    break
                answer += part
        finally:
            stream.close()
        return answer.partition(b"\r\n\r\n")[2]

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, len(stack.tcp.time_wait))
            await asyncio.sleep(0.05)

    most = 0
    async with VirtualBoard(options) as virtual:
        await virtual.answered()
        network = virtual.network
        assert isinstance(network, MemoryNetwork)
        [wire] = network._boards.values()
        stack = wire._station
        assert isinstance(stack, NetworkStack)
        async with open_board(VirtualPort(virtual)) as board, await board.start_server(load.serve, PORT):
            info = await board.net.ifinfo()
            assert info is not None
            address = info["ip"]
            virtual.statistics.lowest_heap = None
            watching = asyncio.ensure_future(watch())
            served = await load.ask_all(ask)
            watching.cancel()
    served.least_heap, served.time_wait = virtual.statistics.lowest_heap, most
    return served


async def with_curl(load: Load, options: VirtualOptions) -> Served:
    """The same on the wall clock, by `forward -R`."""

    async def ask(number: int) -> bytes:
        process = await asyncio.create_subprocess_exec(
            "curl", "-sS", "--max-time", f"{PATIENCE:g}", f"http://{address[0]}:{address[1]}/{number}",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        page, said = await process.communicate()
        if process.returncode:
            raise Failed(f"curl: {said.decode().partition(') ')[2].strip().partition(' after ')[0]}")
        return page

    server = await asyncio.start_server(load.serve, "127.0.0.1", 0)
    async with server, board_process(options, rfc2217=True) as url, open_board(url) as board:
        service = f"0:127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with open_forwards(board, [remote(service)]) as [running]:
            address = running.address
            served = await load.ask_all(ask)
    return served


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="500,3000", help="bytes of a page, several after commas")
    parser.add_argument("--closes", default="server,client", help="who closes first")
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--clients", type=int, default=5, help="at once")
    parser.add_argument("--runs", type=int, default=2, help="with seeds 0, 1, …")
    parser.add_argument("--lua", default="5.1")
    parser.add_argument("--curl", action="store_true", help="wall clock, curl, forward -R")
    given = parser.parse_args()
    good = True
    for size in map(int, given.size.split(",")):
        for side in given.closes.split(","):
            for seed in range(given.runs):
                load = Load(given.clients, given.requests, size, side == "server")
                if given.curl:
                    served = asyncio.run(with_curl(load, VirtualOptions(seed=seed, lua=given.lua)))
                else:
                    options = VirtualOptions(clock="virtual", seed=seed, lua=given.lua)
                    served = clock.run(on_the_virtual_clock(load, options))
                good = good and not served.failed
                print(f"{size} B, {side} closes, seed {seed}: {served}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
