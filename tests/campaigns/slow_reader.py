"""Sockets whose data nobody takes, or takes slowly, beside one that is read: what that does to heap and line.

python -m tests.campaigns.slow_reader --megabytes 1 --build "5.1 float"
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import random
import time
import tracemalloc
from dataclasses import dataclass

from bridge.mirror.tcp import TCPSocket
from bridge.virtual.lwip.memstream import MemoryStream
from tests.campaigns.stage import BUILDS, PEER, Stage, play

#: Ports of the peer that the slow one reads from, and of the one that is read as fast as the line goes.
SLOW, QUICK = 80, 81
#: Bytes a second that the slow reader reads.
READS = 1000
#: Seconds between two looks at the heap.
LOOK = 0.05


class Pusher:
    """A peer that pushes so many bytes at the board, as fast as it takes them."""

    def __init__(self, size: int, seed: int) -> None:
        self._rng = random.Random(seed)
        self._left = size
        self.digest = hashlib.sha256()

    async def __call__(self, stream: MemoryStream) -> None:
        while self._left:
            piece = self._rng.randbytes(min(self._left, 5840))
            self._left -= len(piece)
            self.digest.update(piece)
            stream.write(piece)
            await stream.drain()


class Reader:
    """A socket of the board and the handler that reads it.

    Args:
        socket: not connected.
        rate: bytes a second, or None for as fast as they come.
    """

    def __init__(self, socket: TCPSocket, rate: float | None = None) -> None:
        self.socket = socket
        self.rate = rate
        self.got = 0
        self.digest = hashlib.sha256()
        self.ended = asyncio.Event()
        socket.on("receive", self._receive if rate is None else self._read_slowly)
        for name in ("disconnection", "reconnection"):
            socket.on(name, self._end)

    def _receive(self, socket: TCPSocket, data: bytes) -> None:
        assert not self.ended.is_set(), "data after the end"
        self.got += len(data)
        self.digest.update(data)

    async def _read_slowly(self, socket: TCPSocket, data: bytes) -> None:
        assert self.rate is not None
        await asyncio.sleep(len(data) / self.rate)
        self._receive(socket, data)

    def _end(self, socket: TCPSocket, code: int) -> None:
        self.code = code
        self.ended.set()


@dataclass(frozen=True)
class Outcome:
    """What a slow reader does.

    Attributes:
        before: free bytes of heap with both sockets made, dead objects not counted.
        lowest: the least of it while the quick socket was alone, while only the slow one was there, and with both.
        raw: the least that `node.heap()` would have said, garbage included.
        alone, beside: bytes a second of the quick socket, without and with the slow one.
        memory: bytes by which what the host keeps in memory grew at most, looked at each minute.
    """

    before: int
    lowest: tuple[int, int, int]
    raw: int
    alone: float
    beside: float
    memory: int

    @property
    def share(self) -> float:
        """Share of its throughput that the quick socket keeps."""
        return self.beside / self.alone

    def __str__(self) -> str:
        return (
            f"heap {self.before} before; lowest {self.lowest[0]} with the quick socket, {self.lowest[1]} with the "
            f"slow one, {self.lowest[2]} with both; with garbage {self.raw}\n"
            f"the quick socket: {self.alone:.0f} B/s alone, {self.beside:.0f} B/s beside the slow one, "
            f"{self.share:.0%}; host memory {self.memory:+} bytes"
        )


async def lowest_during(stage: Stage, seconds: float, step: float = LOOK) -> int:
    """Let time pass; the least heap that is not in use meanwhile."""
    least, until = stage.unused(), stage.now + seconds
    while stage.now < until:
        await asyncio.sleep(step)
        least = min(least, stage.unused())
    return least


def slow_beside_quick(size: int, build: str, *, window: float = 30.0, speeds: tuple[int, ...] | None = None) -> Outcome:
    """One socket is pushed `size` bytes and read at `READS` bytes a second, another one is read at once.

    Raises:
        AssertionError: bytes are lost, changed or out of order.
    """
    found: list[Outcome] = []

    async def scenario(stage: Stage) -> None:
        slow_peer, quick_peer = Pusher(size, 1), Pusher(1 << 40, 2)
        stage.network.serve(PEER, SLOW, slow_peer)
        stage.network.serve(PEER, QUICK, quick_peer)
        quick = Reader(await stage.board.net.createConnection())
        slow = Reader(await stage.board.net.createConnection(), READS)
        await asyncio.sleep(1)
        before = stage.unused()
        stage.virtual.statistics.reset()
        await quick.socket.connect(QUICK, PEER)
        await asyncio.sleep(5)
        # The same length, before and after the slow one comes; its first windows are not what the long run is like.
        first = quick.got
        with_quick = await lowest_during(stage, window)
        alone = (quick.got - first) / window
        await slow.socket.connect(SLOW, PEER)
        with_both = await lowest_during(stage, 15)
        first = quick.got
        with_both = min(with_both, await lowest_during(stage, window))
        beside = (quick.got - first) / window
        await quick.socket.close()
        tracemalloc.start()
        with_slow, grown, last = before, 0, None
        while not slow.ended.is_set():
            with_slow = min(with_slow, await lowest_during(stage, 30, 0.5))
            await asyncio.sleep(30)
            gc.collect()
            now = tracemalloc.get_traced_memory()[0]
            grown, last = (0, now) if last is None else (max(grown, now - last), last)
        tracemalloc.stop()
        assert slow.code == 0 and slow.got == size
        assert slow.digest.digest() == slow_peer.digest.digest()
        raw = stage.virtual.statistics.lowest_heap
        assert raw is not None
        found.append(Outcome(before, (with_quick, with_slow, with_both), raw, alone, beside, grown))

    play(scenario, limit=24 * 3600.0, speeds=speeds, **BUILDS[build])
    return found[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=1.0)
    parser.add_argument("--build", choices=[*BUILDS, "all"], default="all")
    parser.add_argument("--baud", type=int, default=None, help="115200 keeps the line as slow as it begins")
    args = parser.parse_args()
    for build in BUILDS if args.build == "all" else [args.build]:
        began = time.monotonic()
        speeds = None if args.baud is None else (args.baud,)
        outcome = slow_beside_quick(round(args.megabytes * 1_000_000), build, speeds=speeds)
        print(f"{build}: {outcome}\n{time.monotonic() - began:.0f} s of this machine", flush=True)


if __name__ == "__main__":
    main()
