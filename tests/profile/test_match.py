from __future__ import annotations

import pytest

from bridge.ports.base import PortInfo
from bridge.profile import Match, Profile, load_profile, matching_profiles, profile_names

CP210X, CH340 = (0x10C4, 0xEA60), (0x1A86, 0x7523)


def port(ids: tuple[int | None, int | None], description: str = "") -> PortInfo:
    return PortInfo("/dev/ttyUSB0", description, *ids)


@pytest.mark.parametrize(
    ("info", "names"),
    [
        (port(CP210X, "CP2102 USB to UART Bridge Controller"), ["nodemcu-v2"]),
        (port(CP210X, "CP2104 USB to UART Bridge Controller"), ["adafruit-feather-huzzah"]),
        # The system tells the driver's name, as on Windows, or none: both may be it.
        (port(CP210X, "Silicon Labs CP210x USB to UART Bridge (COM5)"), ["adafruit-feather-huzzah", "nodemcu-v2"]),
        (port(CP210X), ["adafruit-feather-huzzah", "nodemcu-v2"]),
        (port(CH340, "USB2.0-Serial"), ["nodemcu-v3", "wemos-d1-mini"]),
        (port((0xDEAD, 0xBEEF), "CP2102"), []),
        (port((None, None)), []),
    ],
)
def test_adapters_and_what_they_may_be_on(info: PortInfo, names: list[str]) -> None:
    assert [profile.name for profile in matching_profiles(info)] == names


def test_words_are_worth_more_than_numbers() -> None:
    exact = Profile(name="exact", match=[Match(vendor=1, product=2, text="Model B")])
    broad = Profile(name="broad", match=[Match(vendor=1, product=2), Match(vendor=1, product=2)])
    assert matching_profiles(port((1, 2), "My model b adapter"), [broad, exact]) == [exact]
    assert matching_profiles(port((1, 2), "Model A"), [broad, exact]) == [broad]


def test_every_adapter_that_a_profile_names_leads_to_it() -> None:
    for name in profile_names():
        for entry in load_profile(name).match:
            found = matching_profiles(port((entry.vendor, entry.product), entry.text or ""))
            assert name in [profile.name for profile in found]
