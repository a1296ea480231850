"""Wi-Fi settings in flash."""

from __future__ import annotations

from dataclasses import replace

from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.lwip.station_settings import AccessPointConfig, Settings, StationConfig, load, save

SETTINGS = Settings(
    mode=3,
    auto_connect=False,
    phy_mode=2,
    station=StationConfig(b"home", b"secret12", b"\1\2\3\4\5\6"),
    access_point=AccessPointConfig(b"board", b"password", 4, 11, 1, 2, 200),
)


def test_what_is_saved_is_loaded() -> None:
    flash = FlashMemory(1024 * 1024)
    assert load(flash) is None
    assert save(flash, SETTINGS) > 0.09
    assert load(flash) == SETTINGS
    other = replace(SETTINGS, station=StationConfig(b"x" * 32, b"y" * 64))
    save(flash, other)
    assert load(flash) == other


def test_they_live_in_the_last_three_sectors_only() -> None:
    flash = FlashMemory(1024 * 1024)
    save(flash, SETTINGS)
    save(flash, replace(SETTINGS, mode=1))
    assert flash.read(0, flash.size - 3 * 4096) == b"\xff" * (flash.size - 3 * 4096)


def test_a_damaged_sector_falls_back_to_the_other_one() -> None:
    flash = FlashMemory(1024 * 1024)
    save(flash, SETTINGS)
    save(flash, replace(SETTINGS, mode=1))
    which = flash.read(flash.size - 4096, 1)[0] & 1
    flash.erase(flash.size - (3 - which) * 4096, 4096)
    assert load(flash) == SETTINGS
