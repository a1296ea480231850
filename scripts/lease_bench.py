"""What a lease costs: the start of its keeper, and what goes through the keeper beside the bare port.

python scripts/lease_bench.py [--rounds 3] [--bytes 300000] [--baud 921600]

On a virtual board by RFC 2217, with line and CPU at their own pace. Bare port and lease are measured in turn in one
run, so that a busy machine slows both. Exit code 1 if less than 0.95 of the bare port's bytes go through a lease.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bridge.bench.goodput import CLEAN, SETUP, TO_BOARD, TO_BOARD_AT_ONCE, TO_HOST, TO_HOST_AT_ONCE, Stream, run_streams
from bridge.bench.process import board_process
from bridge.board import Board
from bridge.opening import open_board
from bridge.rack import Rack
from bridge.rack.holder import Holder
from bridge.virtual.options import VirtualOptions

#: Share of the bare port's bytes that must go through a lease.
WANTED = 0.95
#: Calls of which the median is taken.
CALLS = 200


async def measure(board: Board, volume: int) -> tuple[float, float, float]:
    """Bytes per second to the board and to the host, and milliseconds of a small call."""
    chance = random.Random(1)
    given = chance.randbytes(TO_HOST)
    payload = itertools.cycle([chance.randbytes(TO_BOARD) for _ in range(16)])
    await board.exec(SETUP, given)

    async def drop() -> int:
        await board.lua.nb_drop(next(payload), timeout=None)
        return TO_BOARD

    async def give() -> int:
        assert await board.lua.nb_give(timeout=None) == given
        return TO_HOST

    await drop()
    await give()
    (to_board,) = await run_streams(Stream(drop, TO_BOARD_AT_ONCE, volume))
    (to_host,) = await run_streams(Stream(give, TO_HOST_AT_ONCE, volume))
    times = []
    for _ in range(CALLS):
        began = time.perf_counter()
        await board.eval("1")
        times.append(time.perf_counter() - began)
    await board.exec(CLEAN)
    return to_board, to_host, statistics.median(times) * 1000


async def run(url: str, rounds: int, volume: int, baud: int) -> int:
    """Measure and print; 0 if a lease costs little."""
    starts = []
    for _ in range(10):
        began = time.perf_counter()
        holder = Holder()
        await asyncio.wrap_future(holder.ask({"do": "release", "lease": 0}))
        starts.append((time.perf_counter() - began) * 1000)
        await asyncio.to_thread(holder.close)
    print(f"start of the keeper: {statistics.median(starts):.0f} ms (median of {len(starts)})")
    bare, leased = [], []
    with tempfile.TemporaryDirectory() as folder:
        rack = Rack.of_ports([url], folder=Path(folder))
        for number in range(rounds):
            async with open_board(url, speeds=[baud]) as board:
                bare.append(await measure(board, volume))
            async with await rack.claim() as lease, lease.open_board(speeds=[baud]) as board:
                leased.append(await measure(board, volume))
            for name, found in (("bare port", bare[-1]), ("lease", leased[-1])):
                print(f"{number + 1}  {name:9}  {found[0]:7.0f} B/s to the board  {found[1]:7.0f} B/s to the host  "
                      f"{found[2]:6.2f} ms a call", flush=True)  # fmt: skip
        began = time.perf_counter()
        for _ in range(50):
            await (await rack.claim()).release()
        print(f"claim and release: {(time.perf_counter() - began) * 20:.1f} ms")
    shares = [statistics.median(row[each] for row in leased) / statistics.median(row[each] for row in bare)
              for each in (0, 1)]  # fmt: skip
    more = statistics.median(row[2] for row in leased) - statistics.median(row[2] for row in bare)
    print(f"share of the bare port: {shares[0]:.3f} to the board, {shares[1]:.3f} to the host; {more:+.2f} ms a call")
    return 0 if min(shares) >= WANTED else 1


def main() -> int:
    """The command; see the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bytes", type=int, default=300_000)
    parser.add_argument("--baud", type=int, default=921_600)
    given = parser.parse_args()

    async def measured() -> int:
        async with board_process(VirtualOptions(), rfc2217=True) as url:
            return await run(url, given.rounds, given.bytes, given.baud)

    return asyncio.run(measured())


if __name__ == "__main__":
    sys.exit(main())
