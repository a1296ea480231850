from __future__ import annotations

import pytest
from pydantic import ValidationError

from bridge.profile import Profile, all_profiles, load_profile, profile_names

KINDS = {
    "adafruit-feather-huzzah",
    "esp-01",
    "esp-12e-bare",
    "generic-esp8266",
    "nodemcu-v2",
    "nodemcu-v3",
    "virtual",
    "wemos-d1-mini",
}
#: GPIO → index (docs/modules/gpio.md of the firmware).
INDEX = {16: 0, 5: 1, 4: 2, 0: 3, 2: 4, 14: 5, 12: 6, 13: 7, 15: 8, 3: 9, 1: 10, 9: 11, 10: 12}


def test_every_kind_that_is_promised_is_there() -> None:
    assert set(profile_names()) >= KINDS
    assert all_profiles()[1] == []


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_profile_says_what_a_person_needs(name: str) -> None:
    profile = load_profile(name)
    assert profile.description
    if name != "virtual":
        assert profile.reset.by_hand and "GPIO0" in profile.strapping
    if profile.reset.lines == "none":
        assert profile.match == [], "a module without an adapter is known by no USB id"


@pytest.mark.parametrize("name", sorted(KINDS))
def test_names_that_are_numbers_of_the_chip_or_of_nodemcu_stand_for_these(name: str) -> None:
    for printed, index in load_profile(name).pins.names.items():
        if printed.startswith("D"):
            assert index == int(printed[1:])
        elif printed.removeprefix("GPIO").isdigit():
            assert index == INDEX[int(printed.removeprefix("GPIO"))]
        elif printed in ("RX", "TX"):
            assert index == {"RX": 9, "TX": 10}[printed]


def test_writing_falls_from_the_flash_s_own_speed_through_those_the_adapter_does() -> None:
    profile = Profile(name="x", bauds=[9600, 115_200, 921_600])
    assert profile.flash_bauds() == (460_800, 115_200, 9600)
    assert load_profile("esp-01").flash_bauds() == (115_200,)


def test_a_ladder_rises() -> None:
    with pytest.raises(ValidationError, match="must rise"):
        Profile(name="x", bauds=[115_200, 9600])


def test_a_name_can_be_a_file_s() -> None:
    with pytest.raises(ValidationError, match="pattern"):
        Profile(name="../x")
