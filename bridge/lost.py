"""Tells when a board is gone for good, for what lives as long as it is open."""

from __future__ import annotations

from typing import NoReturn

from bridge.board import Board
from bridge.errors import BridgeError
from bridge.lifecycle import State


async def lost_for_good(board: Board) -> NoReturn:
    """Wait until a board does not come back any more, or has been closed.

    Args:
        board: open.

    Raises:
        BridgeError: why.
    """
    while board.state not in (State.LOST, State.CLOSED):
        await board.state_changed()
    raise _why(board)


def _why(board: Board) -> BridgeError:
    try:
        _ = board.facts
    except BridgeError as error:
        return error
    raise AssertionError(f"{board!r} is there")
