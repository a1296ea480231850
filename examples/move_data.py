"""Fill the line both ways: data to a function on the board and back, with many calls under way at once.

python examples/move_data.py [--port URL] [--kilobytes N]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time

import bridge

PIECE = 1400  # bytes of one call: a message to the board holds 2048
AT_ONCE = 4  # calls under way, so that the line is never idle

# Keeps the last piece, and tells of each its length and first byte.
ON_THE_BOARD = """
local last
function take(data) last = data return #data, data:byte(1) end
function give() return last end
"""


async def main(port: str, kilobytes: int) -> None:
    async with bridge.open_board(port) as board:
        await board.exec(ON_THE_BOARD)
        pieces = [os.urandom(PIECE) for _ in range(kilobytes * 1024 // PIECE)]
        under_way = asyncio.Semaphore(AT_ONCE)

        async def put(piece: bytes) -> None:
            async with under_way:
                assert await board.lua.take(piece) == (len(piece), piece[0])

        async def get() -> bytes:
            async with under_way:
                return bytes(await board.lua.give())

        began = time.monotonic()
        await asyncio.gather(*(put(piece) for piece in pieces))
        middle = time.monotonic()
        answers = await asyncio.gather(*(get() for _ in pieces))
        ended = time.monotonic()
        assert set(answers) == {pieces[-1]}
        moved = len(pieces) * PIECE / 1000
        print(f"to the board: {moved:.0f} kB in {middle - began:.2f} s, {moved / (middle - began):.1f} kB/s")
        print(f"to the host:  {moved:.0f} kB in {ended - middle:.2f} s, {moved / (ended - middle):.1f} kB/s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("--kilobytes", type=int, default=100, help="how much each way")
    options = parser.parse_args()
    asyncio.run(main(options.port, options.kilobytes))
