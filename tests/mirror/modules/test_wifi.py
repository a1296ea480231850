from __future__ import annotations

import pytest

from bridge.board import Board
from bridge.errors import LuaError


async def test_modes(board: Board) -> None:
    wifi = board.wifi
    assert await wifi.getmode() == wifi.STATION == await wifi.getdefaultmode()
    assert await wifi.setmode(wifi.SOFTAP, False) == wifi.SOFTAP == await wifi.getmode()
    assert await wifi.getdefaultmode() == wifi.STATION
    with pytest.raises(LuaError, match="Can't list ap in SOFTAP mode"):
        await wifi.sta.getap()
    assert await wifi.setmode(wifi.STATION) == wifi.STATION
    with pytest.raises(LuaError, match="Invalid mode"):
        await wifi.setmode(4)
    assert await wifi.getphymode() == wifi.PHYMODE_N
    assert await wifi.setphymode(wifi.PHYMODE_G) == wifi.PHYMODE_G == await wifi.getphymode()
    await wifi.setphymode(wifi.PHYMODE_N)
    with pytest.raises(LuaError, match="wrong arg type"):
        await wifi.setphymode(4)
    assert 1 <= await wifi.getchannel() <= 14


async def test_countries(board: Board) -> None:
    wifi = board.wifi
    default = {"country": "CN", "start_ch": 1, "end_ch": 13, "policy": wifi.COUNTRY_AUTO}
    assert await wifi.getcountry() == default
    assert await wifi.setcountry({"country": "DE", "end_ch": 11, "policy": wifi.COUNTRY_MANUAL}) is True
    assert await wifi.getcountry() == {"country": "DE", "start_ch": 1, "end_ch": 11, "policy": 1}
    with pytest.raises(LuaError, match="must be 2 chars"):
        await wifi.setcountry({"country": "DEU"})
    assert await wifi.setcountry({}) is True and await wifi.getcountry() == default


async def test_power(board: Board) -> None:
    await board.wifi.setmaxtxpower(40)
    with pytest.raises(LuaError, match="tx power out of range"):
        await board.wifi.setmaxtxpower(83)
    assert await board.wifi.nullmodesleep() is True
    assert await board.wifi.nullmodesleep(False) is False is await board.wifi.nullmodesleep()
    await board.wifi.nullmodesleep(True)
