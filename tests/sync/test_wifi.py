from __future__ import annotations

import threading
from typing import Any

import pytest

from bridge import sync
from bridge.errors import UsageError
from bridge.mirror.modules.wifi_scan import AccessPoint


def test_the_radio(shared: sync.Board) -> None:
    wifi = shared.wifi
    assert wifi.getmode() == wifi.STATION and wifi.getcountry()["country"] == "CN"
    assert wifi.ap.getip() is None and wifi.ap.dhcp.start() is False
    assert wifi.sta.status() == wifi.STA_GOTIP and wifi.sta.getconfig(True).ssid == "virtual"
    assert wifi.eventmon.reason.AUTH_FAIL == 202


def test_handlers_and_scans(shared: sync.Board) -> None:
    sta = shared.wifi.sta
    seen: list[dict[str, Any]] = []
    gone, scanned = threading.Event(), threading.Event()

    def left(event: dict[str, Any]) -> None:
        seen.append(event)
        gone.set()

    sta.config({"ssid": "virtual", "save": False, "auto": False, "disconnect_cb": left})
    shared.wifi.eventmon.unregister(shared.wifi.eventmon.STA_DISCONNECTED)
    found: dict[str, AccessPoint] = {}
    sta.getap(1, lambda table: (found.update(table), scanned.set()))
    assert scanned.wait(30) and [ap.ssid for ap in found.values()] == ["virtual"]
    with pytest.raises(UsageError, match="are a dict"):
        sta.config("virtual")  # type: ignore[type-var]
    sta.config({"ssid": "virtual", "save": False, "disconnect_cb": left})
    sta.disconnect(left)
    assert gone.wait(30) and seen[0]["SSID"] == "virtual"
