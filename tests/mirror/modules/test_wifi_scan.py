from __future__ import annotations

from bridge.mirror.modules.wifi_scan import AccessPoint, by_bssid, by_ssid

BSSID = "02:00:5e:10:00:01"


def test_both_formats_tell_the_same() -> None:
    wanted = AccessPoint("home", BSSID, -51, 3, 6)
    assert by_ssid({b"home": b"3,-51,02:00:5e:10:00:01,6"}) == {"home": wanted}
    assert by_bssid({BSSID.encode(): b"home,-51,3,6"}) == {BSSID: wanted}


def test_nothing_found_and_names_that_are_hard_to_cut() -> None:
    assert by_ssid([]) == {} == by_bssid(None)
    for ssid in ("a,b", "", "1,2,3,4", "Müller"):
        assert by_bssid({BSSID.encode(): ssid.encode() + b",-80,0,13"})[BSSID] == AccessPoint(ssid, BSSID, -80, 0, 13)
