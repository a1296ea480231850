from __future__ import annotations

import pytest

from bridge.errors import NetError
from bridge.opening import open_board
from bridge.peers import board_address, host_address

FAST = "virtual:?baud_pacing=0&adapter_latency_ms=0&cpu=0&flash=0"


@pytest.mark.parametrize("firmware", ["3.0.0", "2.2.1"])
async def test_a_virtual_board_reaches_this_computer_at_its_gateway(firmware: str) -> None:
    async with open_board(f"{FAST}&firmware={firmware}&address=127.3.2.9&gateway=127.3.2.1") as board:
        assert (await board_address(board), await host_address(board)) == ("127.3.2.9", "127.3.2.1")


async def test_a_board_without_a_network_says_so() -> None:
    async with open_board(f"{FAST}&wifi=off") as board:
        with pytest.raises(NetError, match="has joined no network"):
            await host_address(board)


@pytest.mark.parametrize("firmware", ["3.0.0", "2.2.1"])
async def test_a_board_that_is_joining_its_network_is_waited_for(firmware: str) -> None:
    async with open_board(f"{FAST}&firmware={firmware}&address=127.3.2.9&gateway=127.3.2.1") as board:
        await board.exec("wifi.sta.disconnect() wifi.sta.connect()")
        assert await board_address(board) == "127.3.2.9"
