from __future__ import annotations

import pytest

from bridge.board import Board
from bridge.errors import LuaError, UsageError
from bridge.mirror.modules.wifi_config import AccessPointConfig, AccessPointTuple
from tests.mirror.modules.conftest import Rig

SECRET = "quiet-please"


async def test_a_network_of_its_own(rig: Rig, board: Board) -> None:
    wifi, ap = board.wifi, board.wifi.ap
    assert await wifi.setmode(wifi.STATIONAP, False) == wifi.STATIONAP
    try:
        assert await ap.config({"ssid": "mine", "pwd": SECRET, "auth": wifi.WPA2_PSK, "channel": 3, "hidden": True,
                                "max": 2, "beacon": 200, "save": False}) is True  # fmt: skip
        found = await ap.getconfig(True)
        assert found == AccessPointConfig("mine", SECRET, wifi.WPA2_PSK, 3, True, 2, 200)
        old = await ap.getconfig()
        assert old == ("mine", SECRET) and isinstance(old, AccessPointTuple)
        assert SECRET not in repr((found, old)) and SECRET.encode() not in rig.trace.read_bytes()
        assert (await ap.getdefaultconfig(True)).ssid == (await ap.getdefaultconfig()).ssid != "mine"
        assert await ap.config({"ssid": "open", "save": False, "probereq_cb": print}) is True
        assert await ap.getconfig() == ("open", None) and (await ap.getconfig(True)).pwd is None
        await wifi.eventmon.unregister(wifi.eventmon.AP_PROBEREQRECVED)
        assert await ap.getip() == ("192.168.4.1", "255.255.255.0", "192.168.4.1")
        assert await ap.getbroadcast() == "192.168.4.255"
        assert await ap.setip({"ip": "10.9.8.1", "netmask": "255.255.255.0", "gateway": "10.9.8.1"}) is True
        assert await ap.getip() == ("10.9.8.1", "255.255.255.0", "10.9.8.1")
        assert await ap.dhcp.config({"start": "10.9.8.50"}) == ("10.9.8.50", "10.9.8.53")
        assert await ap.dhcp.start() is True and await ap.dhcp.stop() is True
        assert await ap.getclient() == {} and await ap.deauth() is True
        mac = await ap.getmac()
        assert await ap.setmac("5e:cf:7f:00:00:02") is True and await ap.getmac() == "5e:cf:7f:00:00:02"
        await ap.setmac(mac)
    finally:
        await wifi.setmode(wifi.STATION, False)


async def test_a_station_only_has_none(board: Board) -> None:
    ap = board.wifi.ap
    assert await ap.getip() is None and await ap.getbroadcast() is None
    assert await ap.config({"ssid": "mine", "save": False}) is False
    assert await ap.deauth() is False and await ap.dhcp.start() is False
    with pytest.raises(LuaError, match="Can't list clients in STATION mode"):
        await ap.getclient()


async def test_settings_that_cannot_be(board: Board) -> None:
    ap = board.wifi.ap
    for settings, what in (
        ({"pwd": SECRET}, "ssid: required"),
        ({"ssid": "mine", "pwd": "short"}, "pwd: length:0 or 8-64"),
        ({"ssid": "mine", "channel": 14}, "channel: Range:1-13"),
        ({"ssid": "mine", "beacon": 10}, "beacon: 100-60000"),
    ):
        with pytest.raises(LuaError, match=what):
            await ap.config(settings)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no setting 'password'") as raised:
        await ap.config({"ssid": "mine", "password": SECRET})  # type: ignore[typeddict-unknown-key]
    assert SECRET not in str(raised.value)
    with pytest.raises(LuaError, match="wrong arg type"):
        await ap.dhcp.config({})  # type: ignore[typeddict-item]
