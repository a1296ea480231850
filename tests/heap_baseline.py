"""That something may be done again and again without a byte of the board's heap being the price."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bridge.board import Board

#: Seconds after which the stack has let go of closed connections (TIME_WAIT), by its own slow clock.
_LET_GO = 13.0
#: Bytes that Lua's tables, and the strings that it keeps, grow and shrink by between two looks.
_PLAY = 300
#: Seconds until the heap must have come back.
_PATIENCE = 60.0


async def free_heap(board: Board) -> int:
    """Bytes that are free on a board that has just collected its garbage."""
    return int(await board.exec("collectgarbage() collectgarbage() return node.heap()"))


async def heap_comes_back(board: Board, once: Callable[[], Awaitable[None]]) -> None:
    """See that the heap is free again that a scenario takes, however often it runs.

    The first runs load what the agent needs, which stays. Connections that the board closed first are waited for.

    Args:
        board: open, with nothing else going on.
        once: the scenario; it closes all that it opens.
    """
    for _ in range(2):
        await once()
    await asyncio.sleep(_LET_GO)  # the stack tells nobody
    before = await free_heap(board)
    for _ in range(4):
        await once()
    async with asyncio.timeout(_PATIENCE):
        while (after := await free_heap(board)) < before - _PLAY:  # noqa: ASYNC110  the stack tells nobody
            await asyncio.sleep(0.5)
    print(f"heap {before}, and {after} after four times more")
