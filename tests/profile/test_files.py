from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from bridge.errors import ProfileError
from bridge.profile import Profile, all_profiles, load_profile, profile_names, read_profile
from bridge.resources import resource
from tests.homeless import be_homeless


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    monkeypatch.setenv("NODEMCU_BRIDGE_PROFILES", str(folder))
    return folder


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_is_right_and_named_as_its_file(name: str) -> None:
    assert load_profile(name).name == name


def test_unknown_name() -> None:
    with pytest.raises(ProfileError, match="no profile sparrow.*virtual"):
        load_profile("sparrow")


def test_without_a_home_folder_there_are_those_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    be_homeless(monkeypatch)
    assert load_profile("virtual").name == "virtual" and "virtual" in profile_names()
    with pytest.raises(ProfileError, match="no profile sparrow.*virtual"):
        load_profile("sparrow")


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nreset: {lines: none}\nbauds: [9600]\n")
    profile = load_profile(str(path))
    assert (profile.name, profile.reset.lines, profile.bauds, profile.flash.size) == ("mine", "none", [9600], 1 << 22)


def test_a_folder_of_ones_own(own: Path) -> None:
    (own / "shelf.yaml").write_text("name: shelf\nmatch: [{vendor: 1, product: 2}]\n")
    (own / "notes.txt").write_text("not a profile")
    assert "shelf" in profile_names() and "virtual" in profile_names()
    assert load_profile("shelf").match[0].product == 2
    assert "shelf" in [profile.name for profile in all_profiles()[0]]


def test_the_user_s_profile_takes_the_place_of_the_package_s(own: Path) -> None:
    (own / "nodemcu-v2.yaml").write_text("name: nodemcu-v2\ndescription: mine\n")
    assert load_profile("nodemcu-v2").description == "mine"
    assert profile_names().count("nodemcu-v2") == 1


def test_one_bad_file_leaves_the_others(own: Path) -> None:
    (own / "bad.yaml").write_text("name: bad\ncolour: red\n")
    (own / "good.yaml").write_text("name: good\n")
    profiles, mistakes = all_profiles()
    assert {"good", "virtual"} <= {profile.name for profile in profiles}
    (mistake,) = mistakes
    assert "bad.yaml, line 2: colour is not a key" in str(mistake)
    with pytest.raises(ProfileError, match="colour"):
        load_profile("bad")


def test_a_file_is_called_as_its_profile(own: Path) -> None:
    (own / "one.yaml").write_text("name: two\n")
    with pytest.raises(ProfileError, match=r"one\.yaml: name: .*Call the file two\.yaml"):
        load_profile("one")


def test_a_folder_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODEMCU_BRIDGE_PROFILES", "/" + "x" * 5000)
    with pytest.raises(ProfileError, match=r"cannot be read \(File name too long\).*NODEMCU_BRIDGE_PROFILES"):
        profile_names()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("name: x\ncolour: red\n", "line 2: colour is not a key of a profile"),
        ("name: x\nflash: {sise: 1}\n", r"line 2: flash\.sise is not a key"),
        ("name: x\nflash:\n  size: big\n", r"line 3: flash\.size: .*integer"),
        ("name: x\nflash: {size: 1.5}\n", r"flash\.size"),
        ("name: x\nflash: {size: -4}\n", r"flash\.size: .*greater than 0"),
        ("name: x\nflash: {mode: fast}\n", r"flash\.mode: .*'dio'"),
        ("name: x\nbauds: [-1]\n", r"bauds\.0"),
        ("name: x\nbauds: []\n", "bauds"),
        ("name: x\nbauds: [9600, 300]\n", "bauds: must rise"),
        ("name: x\nmatch: [{vendor: 0x10c4}]\n", r"match\.0\.product is missing"),
        ("name: x\nmatch: [{vendor: 70000, product: 1}]\n", r"match\.0\.vendor"),
        ("name: x\npins: {names: {D1: 13}}\n", r"pins\.names\.D1"),
        ("name: x\npins: {names: {0: 3}}\n", r"pins\.names\.0: .*string"),
        ("name: x\nstrapping: {PIN0: low}\n", r"strapping\.PIN0: .*'GPIO0'"),
        ("name: x\nreset: {lines: magic}\n", r"reset\.lines"),
        ("name: x\nlimits: {adc_volts: 0}\n", r"limits\.adc_volts"),
        ("name: x\nnotes: all\n", "notes"),
        ("nmae: x\n", "nmae is not a key"),
        ("name: 5\n", "name: .*string"),
        ("description: x\n", "name is missing"),
        ("name: x\nname: y\n", "line 2: name is there twice"),
        ("name: x\nflash:\n  size: 1\n  size: 2\n", "line 4: size is there twice"),
        ("[1, 2", "is not YAML in line"),
        ("name: !!python/object:os.system x\n", "line 1: .*constructor"),
        ("- a\n", "is not a profile"),
        ("", "is not a profile"),
        ("[" * 5000, "is not YAML"),
        ("name: " + "[" * 5000 + "]" * 5000, "is not YAML"),
    ],
)
def test_mistakes_name_file_and_key(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(ProfileError, match=key) as caught:
        read_profile(path)
    assert str(path) in str(caught.value) and caught.value.exit_code == 2
    assert len(str(caught.value).splitlines()) == 1


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"none\.yaml cannot be read"):
        load_profile(str(tmp_path / "none.yaml"))
    with pytest.raises(ProfileError, match="cannot be read"):
        load_profile(f"{tmp_path}/")


def test_the_page_has_every_key_and_every_profile() -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "reference" / "device-profiles.md").read_text(
        encoding="utf-8"
    )
    rows = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| `")]
    keys = []
    for name, field in Profile.model_fields.items():
        inner = field.annotation
        part = inner is not None and isinstance(inner, type) and issubclass(inner, BaseModel)
        keys += [f"{name}.{key}" for key in inner.model_fields] if part and inner is not None else [name]
    packaged = [path.stem for path in resource("device_profiles").glob("*.yaml")]
    assert sorted(rows) == sorted(f"`{name}`" for name in [*keys, *packaged])


def test_a_nul_in_a_name_is_one_sentence() -> None:
    for name in ("a\0b", "./a\0b.yaml"):
        with pytest.raises(ProfileError, match="There is no profile|is no name of a file"):
            load_profile(name)
