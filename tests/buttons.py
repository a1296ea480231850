"""The two buttons of a devkit, pressed by somebody who takes as long as the chip needs."""

from __future__ import annotations

import asyncio

from bridge.virtual.board import VirtualBoard
from bridge.virtual.chip.chip import Mode


async def hold_flash_and_press_reset(board: VirtualBoard) -> None:
    """Bring a board into its loader without its port: returns when the loader listens.

    Each edge waits for what the one before it does: two at once are a pulse too short to be a reset.
    """
    reached: asyncio.Queue[Mode] = asyncio.Queue()

    async def until(mode: Mode) -> None:
        async with asyncio.timeout(10):
            while await reached.get() is not mode:
                pass

    board.chip.on_mode = reached.put_nowait
    board.set_lines(dtr=False, rts=True)
    await until(Mode.HELD)
    board.set_lines(dtr=True, rts=False)
    await until(Mode.DOWNLOAD)
    board.chip.on_mode = None
