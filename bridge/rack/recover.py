"""Brings a leased board to a known state: the agent answers, and the heap is what a fresh one has."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Awaitable, Callable
from pathlib import Path

from bridge.board import Board
from bridge.errors import BridgeError, LeaseLost, PlaceFailed, WrongBoard
from bridge.lifecycle import State
from bridge.rack import power
from bridge.rack.health import record_success
from bridge.rack.lease import Lease

#: Bytes of heap that a board may lack of what it had when it was fresh.
NEAR = 2048
#: Seconds for an answer of a board that is open, for opening one, and for closing one that may not answer.
_ANSWER_S, _OPEN_S, _CLOSE_S = 5.0, 45.0, 10.0


async def known_state(
    lease: Lease, board: Board | None = None, *, near: int = NEAR, folder: Path | None = None, count: bool = True
) -> Board:
    """The board of a lease, fit for a new user: as it is, else opened anew, else reset, else without power for a while.

    Args:
        lease: of the board.
        board: the one that is open, if one is. It is closed if it is not fit.
        near: bytes of heap that may be missing of what the first one of this lease had.
        folder: state folder of the rack, for the record of a failure.
        count: that it works ends a row of failures; else the caller says so, when it has worked for something.

    Returns:
        The board; another than before if that one was closed.

    Raises:
        PlaceFailed: it cannot be brought to answer; that is recorded, and three times in a row quarantine the place.
        WrongBoard: another board is there than the rack file says.
        LeaseLost: the lease is over.
    """
    if board is not None:
        if await _is_fit(lease, board, near):
            return board
        await _close(board)
    tried: list[str] = []
    for what, first in _steps(lease):
        try:
            if first is not None:
                await first()
            async with asyncio.timeout(_OPEN_S):
                board = await lease.open_board()
        except (LeaseLost, WrongBoard):
            raise
        except BridgeError as error:
            tried.append(f"{what}: {error.message}")
            continue
        except TimeoutError:
            tried.append(f"{what}: no agent within {_OPEN_S:g} s")
            continue
        if await _is_fit(lease, board, near):
            if count:
                record_success(lease.place, folder=folder)
            return board
        tried.append(f"{what}: its heap does not come back")
        await _close(board)
    lease.check()
    text = "; ".join(tried)
    quarantine = lease.note_failure(f"The board does not answer ({text})", folder)
    raise PlaceFailed(
        f"{lease.place.name} cannot be brought to answer ({text})" + (f"; it is {quarantine}" if quarantine else ""),
        port=lease.port,
        remedy=f"Look at the board, then: nodemcu-bridge rack heal {lease.place.name}"
        if quarantine
        else "Look at its power supply and at what its init.lua does.",
    )


def _steps(lease: Lease) -> list[tuple[str, Callable[[], Awaitable[None]] | None]]:
    steps: list[tuple[str, Callable[[], Awaitable[None]] | None]] = [("as it is", None)]
    if lease.place.power.reset != "none":
        steps.append(("after a reset", lambda: power.reset(lease)))
    if lease.place.power.command is not None:
        steps.append(("after a power cycle", lambda: power.power_cycle(lease)))
    return steps


async def _is_fit(lease: Lease, board: Board, near: int) -> bool:
    if board.state is not State.READY:
        return False
    try:
        async with asyncio.timeout(_ANSWER_S):
            heap = await _heap(board)
            if lease.heap is not None and heap < lease.heap - near:
                gc.collect()  # what nobody here can reach any more the board lets go of
                await asyncio.sleep(0)
                heap = await _heap(board)
    except LeaseLost:
        raise
    except (BridgeError, TimeoutError):
        return False
    if lease.heap is None:
        lease.heap = heap
    return heap >= lease.heap - near


async def _heap(board: Board) -> int:
    await board.lua.collectgarbage()
    heap = await board.eval("node.heap()")
    return int(heap) if isinstance(heap, int | float) else 0


async def _close(board: Board) -> None:
    with contextlib.suppress(BridgeError, TimeoutError):
        async with asyncio.timeout(_CLOSE_S):
            await board.close()
