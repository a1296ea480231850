from __future__ import annotations

from bridge.firmware.needs import read_needs
from bridge.image import NEEDED
from bridge.virtual.options import KNOWN_MODULES


def test_what_is_written_is_what_images_are_refused_for() -> None:
    assert sorted(read_needs().needed) == sorted(NEEDED)


def test_the_modules_are_those_of_the_firmware() -> None:
    names = [module.name for module in read_needs().modules]
    assert set(names) <= KNOWN_MODULES and len(set(names)) == len(names)
    assert {"net", "tls", "uart", "node", "tmr", "file", "wifi"} <= set(names)


def test_what_a_firmware_lacks_the_needed_first() -> None:
    lacking = read_needs().lacking(["uart", "node", "wifi", "mqtt"])
    assert [need.name for need in lacking[:2]] == ["tmr", "net"] and all(need.needed for need in lacking[:2])
    assert {need.name for need in lacking[2:]} == {"file", "tls", "ow", "gpio", "adc"}
    assert read_needs().lacking(KNOWN_MODULES) == []
