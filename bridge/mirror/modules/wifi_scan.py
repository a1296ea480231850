"""Looking for networks: what `wifi.sta.getap` gives its callback (app/modules/wifi.c, `wifi_scan_done`)."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.mirror.modules.text import to_text
from bridge.wire.values import Value


@dataclass(frozen=True)
class AccessPoint:
    """An access point that was heard."""

    ssid: str
    bssid: str
    rssi: int
    """dBm."""
    auth: int
    """0 open, 1 WEP, 2 WPA, 3 WPA2, 4 WPA and WPA2."""
    channel: int


def by_ssid(table: Value) -> dict[str, AccessPoint]:
    """Format 0: SSID → "auth,rssi,bssid,channel"."""
    found = {}
    for key, text in _items(table):
        auth, rssi, bssid, channel = text.split(",")
        found[key] = AccessPoint(key, bssid, int(rssi), int(auth), int(channel))
    return found


def by_bssid(table: Value) -> dict[str, AccessPoint]:
    """Format 1: BSSID → "ssid,rssi,auth,channel"; there may be commas in an SSID."""
    found = {}
    for key, text in _items(table):
        ssid, rssi, auth, channel = text.rsplit(",", 3)
        found[key] = AccessPoint(ssid, key, int(rssi), int(auth), int(channel))
    return found


def _items(table: Value) -> list[tuple[str, str]]:
    # An empty table comes as a list. Lua makes a number of no key: an SSID "1" stays a string.
    return [(to_text(key), to_text(text)) for key, text in table.items()] if isinstance(table, dict) else []
