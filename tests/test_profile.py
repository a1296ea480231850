from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import ProfileError
from bridge.profile import load_profile, matching_profile, profile_names, read_profile


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_is_right_and_named_as_its_file(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert profile.bauds == sorted(profile.bauds)


def test_unknown_name() -> None:
    with pytest.raises(ProfileError, match="no profile sparrow.*virtual"):
        load_profile("sparrow")


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nreset: {lines: none}\nbauds: [9600]\n")
    profile = load_profile(str(path))
    assert (profile.name, profile.reset.lines, profile.bauds, profile.flash.size) == ("mine", "none", [9600], 1 << 22)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("name: x\ncolour: red\n", "colour is not a key"),
        ("name: x\nflash: {sise: 1}\n", r"flash\.sise is not a key"),
        ("name: x\nflash: {size: big}\n", r"flash\.size"),
        ("name: x\nbauds: [-1]\n", r"bauds\.0"),
        ("name: x\nmatch: [{vendor: 0x10c4}]\n", r"match\.0\.product"),
        ("description: x\n", "name"),
        ("[1, 2", "is not YAML in line"),
        ("- a\n", "is not a profile"),
        ("", "is not a profile"),
    ],
)
def test_mistakes_name_file_and_key(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(ProfileError, match=key) as caught:
        read_profile(path)
    assert str(path) in str(caught.value) and caught.value.exit_code == 2


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"none\.yaml cannot be read"):
        load_profile(str(tmp_path / "none.yaml"))


def test_matching_by_usb_ids() -> None:
    assert matching_profile(0xDEAD, 0xBEEF) is None
    assert matching_profile(None, None) is None
    for name in profile_names():
        for entry in load_profile(name).match:
            found = matching_profile(entry.vendor, entry.product)
            assert found is None or entry in found.match
