from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bridge.board import Board
from bridge.errors import LuaError, UsageError
from bridge.mirror.modules.wifi_eventmon import Reason
from tests.mirror.modules.conftest import Rig, rejoin


async def test_what_the_radio_does_is_told(rig: Rig, board: Board) -> None:
    monitor = board.wifi.eventmon
    seen: list[tuple[str, dict[str, Any]]] = []
    await rejoin(board)

    async def gone(event: dict[str, Any]) -> None:
        seen.append(("gone", event))

    await monitor.register(monitor.STA_DISCONNECTED, gone)
    await monitor.register(monitor.STA_CONNECTED, lambda event: seen.append(("here", event)))
    await monitor.register(monitor.STA_GOT_IP, lambda event: seen.append(("ip", event)))
    await monitor.register(monitor.WIFI_MODE_CHANGED, lambda event: seen.append(("mode", event)))
    await board.wifi.sta.disconnect()
    await board.wifi.sta.connect()
    await board.wifi.setmode(board.wifi.STATIONAP, False)
    await asyncio.sleep(10)
    await board.wifi.setmode(board.wifi.STATION, False)
    found = dict(seen)
    assert found["gone"] | {"BSSID": ""} == {"SSID": "virtual", "BSSID": "", "reason": Reason.ASSOC_LEAVE}
    assert found["here"] | {"BSSID": ""} == {"SSID": "virtual", "BSSID": "", "channel": 6}
    assert set(found["ip"]) == {"IP", "netmask", "gateway"} and set(found["mode"]) == {"old_mode", "new_mode"}
    for event in (monitor.STA_DISCONNECTED, monitor.STA_CONNECTED, monitor.STA_GOT_IP, monitor.WIFI_MODE_CHANGED):
        await monitor.unregister(event)


async def test_a_handler_that_is_replaced_or_removed(board: Board) -> None:
    monitor, sta = board.wifi.eventmon, board.wifi.sta
    seen: list[str] = []
    await rejoin(board)
    await monitor.register(monitor.STA_DISCONNECTED, lambda event: seen.append("first"))
    await sta.disconnect(lambda event: seen.append("second"))
    await asyncio.sleep(1)
    assert seen == ["second"]
    await sta.connect()
    await asyncio.sleep(10)
    await monitor.register(monitor.STA_DISCONNECTED)
    await sta.disconnect()
    await asyncio.sleep(1)
    assert seen == ["second"]
    await sta.connect()
    await asyncio.sleep(10)


async def test_wrong_events_and_handlers(board: Board) -> None:
    monitor = board.wifi.eventmon
    with pytest.raises(LuaError, match="valid wifi events:0-10"):
        await monitor.register(11, print)
    with pytest.raises(UsageError, match="cannot be called"):
        await monitor.register(monitor.STA_GOT_IP, "print")  # type: ignore[arg-type]


async def test_the_reasons_are_those_of_the_firmware(board: Board) -> None:
    source = "local t = {} for k, v in pairs(wifi.eventmon.reason) do t[k] = v end return t"
    found = {name.decode(): value for name, value in (await board.exec(source)).items()}
    given = {reason.name.removeprefix("THE_"): reason.value for reason in board.wifi.eventmon.reason}
    assert given == found
