"""Addresses of the station and of the board's own network; what each makes of them is in the tests of its face."""

from __future__ import annotations

import pytest

from bridge.board import Board
from bridge.errors import LuaError, UsageError


@pytest.mark.parametrize("name", ["sta", "ap"])
async def test_addresses_that_are_none(board: Board, name: str) -> None:
    interface = getattr(board.wifi, name)
    with pytest.raises(UsageError, match=rf"wifi\.{name}\.setip takes a dict"):
        await interface.setip("10.0.0.9")
    with pytest.raises(LuaError, match="MAC:FF:FF:FF:FF:FF:FF"):
        await interface.setmac("5c:cf")


async def test_each_has_a_mac_address_of_its_own(board: Board) -> None:
    macs = {await board.wifi.sta.getmac(), await board.wifi.ap.getmac()}
    assert len(macs) == 2 and {len(mac) for mac in macs} == {17}
