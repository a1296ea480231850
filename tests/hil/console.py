"""What a board prints while the agent runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge.board import Board


@asynccontextmanager
async def heard_through(board: Board, last: bytes) -> AsyncIterator[bytearray]:
    """What the board prints in the block, which ends when these bytes were among it, within 10 s."""
    heard = bytearray()
    came = asyncio.Event()

    def listen(data: bytes) -> None:
        heard.extend(data)
        if last in heard:
            came.set()

    board.on("console", listen)
    try:
        yield heard
        async with asyncio.timeout(10):
            await came.wait()
    finally:
        board.on("console", None)
