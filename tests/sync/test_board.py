from __future__ import annotations

import pytest

from bridge import sync
from bridge.errors import PortLost, PortNotFound, UsageError
from bridge.lifecycle import State


def test_open_reset_close() -> None:
    board = sync.open_board("virtual:?cpu=0&baud_pacing=0")
    resets: list[object] = []
    board.on("reset", resets.append)
    assert board.facts.lua == "5.1" and board.state is State.READY and "virtual:" in board.url
    board.exec("marker = 1")
    board.reset()
    assert board.eval("marker") is None and len(resets) == 1
    assert board.last_reset is not None and board.last_reset.cause == "software restart"
    board.close()
    board.close()
    assert board.state is State.CLOSED and "closed" in repr(board)
    with pytest.raises(PortLost, match="has been closed"):
        board.eval("1")


def test_what_cannot_be_opened() -> None:
    with pytest.raises(PortNotFound):
        sync.open_board("/dev/nosuchport")
    with pytest.raises(UsageError, match="virtual clock"):
        sync.open_board("virtual:?clock=virtual")
