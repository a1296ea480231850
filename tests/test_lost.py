from __future__ import annotations

import asyncio

import pytest

from bridge.errors import PortLost
from bridge.lost import lost_for_good
from bridge.opening import open_board
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort


def test_a_restart_is_no_loss_and_an_unplugged_board_is() -> None:
    async def main() -> None:
        made = VirtualBoard(VirtualOptions())
        await made.start()
        async with open_board(VirtualPort(made)) as board:
            waiting = asyncio.ensure_future(lost_for_good(board))
            await board.reset()
            await asyncio.sleep(5)
            assert not waiting.done()
            made.unplug()
            with pytest.raises(PortLost):
                await waiting
        with pytest.raises(PortLost, match="has been closed"):
            await lost_for_good(board)
        await made.close()

    clock.run(main())
