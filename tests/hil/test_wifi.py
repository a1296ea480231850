"""The radio, by `board.wifi`. Nothing is written to the flash, and the network is not left."""

from __future__ import annotations

import pytest

from bridge.errors import LuaError, UsageError
from tests.hil.conftest import Board


@pytest.mark.needs("wifi")
async def test_the_station_is_where_net_says(board: Board, address: str) -> None:
    wifi = board.wifi
    assert await wifi.getmode() in (wifi.STATION, wifi.STATIONAP)
    assert await wifi.sta.status() == wifi.STA_GOTIP
    found = await wifi.sta.getip()
    assert found is not None and found[0] == address
    assert -120 < (await wifi.sta.getrssi() or 0) < 0
    assert len(await wifi.sta.getmac()) == 17 and await wifi.sta.gethostname()
    assert (await wifi.sta.getconfig(True)).ssid == (await wifi.sta.getconfig()).ssid != ""


@pytest.mark.needs("wifi")
async def test_a_scan_finds_the_network(board: Board, address: str) -> None:
    ssid = (await board.wifi.sta.getconfig(True)).ssid
    found = await board.wifi.sta.getap({"ssid": ssid}, 1) or {}
    assert {each.ssid for each in found.values()} == {ssid}


@pytest.mark.needs("wifi")
async def test_events_can_be_asked_for(board: Board) -> None:
    monitor = board.wifi.eventmon
    await monitor.register(monitor.AP_PROBEREQRECVED, lambda event: None)
    await monitor.unregister(monitor.AP_PROBEREQRECVED)
    with pytest.raises(LuaError, match="valid wifi events"):
        await monitor.register(11, lambda event: None)


@pytest.mark.needs("wifi")
async def test_an_access_point_that_is_not_kept(board: Board) -> None:
    wifi = board.wifi
    mode = await wifi.getmode()
    try:
        assert await wifi.setmode(wifi.STATIONAP, False) == wifi.STATIONAP
        assert await wifi.ap.config({"ssid": "bridge-hil", "pwd": "only-for-a-test", "save": False}) is True
        config = await wifi.ap.getconfig(True)
        assert (config.ssid, config.pwd) == ("bridge-hil", "only-for-a-test") and "only-for" not in repr(config)
        assert await wifi.ap.getclient() == {} and await wifi.ap.getip() is not None
    finally:
        await wifi.setmode(mode, False)


@pytest.mark.needs("wifi")
async def test_wrong_settings(board: Board) -> None:
    with pytest.raises(LuaError, match="ssid: length:0-32"):
        await board.wifi.sta.config({"ssid": "x" * 33, "save": False})
    with pytest.raises(UsageError, match="no setting"):
        await board.wifi.sta.config({"ssid": "x", "password": "y"})  # type: ignore[typeddict-unknown-key]
