from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from bridge.errors import ProfileError
from bridge.provision.model import SecretSource, ShelfFile, Wifi
from bridge.yaml_file import read_yaml

BOARDS = "boards:\n  - {name: a, port: /dev/x}\n"


def read(tmp_path: Path, text: str) -> ShelfFile:
    path = tmp_path / "shelf.yaml"
    path.write_text(text)
    return read_yaml(path, ShelfFile, "a provisioning file")


def test_the_least_file(tmp_path: Path) -> None:
    shelf = read(tmp_path, BOARDS)
    assert [board.name for board in shelf.boards] == ["a"] and shelf.checks is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOARDS + "imgae: x.bin\n", "line 3: imgae is not a key of a provisioning file"),
        (BOARDS + "wifi: {ssid: x, pasword: {env: Y}}\n", "line 3: wifi.pasword is not a key"),
        ("boards:\n  - {name: a, port: /dev/x, colour: red}\n", "line 2: boards.0.colour is not a key"),
        ("boards:\n  - {name: a, prot: /dev/x}\n", "line 2: boards.0.prot is not a key"),
        (BOARDS + "baud: fast\n", "line 3: baud:"),
        (BOARDS + "files: [a, b]\n", "line 3: files"),
        (BOARDS + "version: 2\n", "line 3: version"),
        ("profile: x\n", "boards is missing"),
        ("boards: []\n", "line 1: boards"),
        ("boards:\n  - {name: a}\n", "one of port, usb_path and serial_number"),
        ("boards:\n  - {name: 'a/b', port: x}\n", "line 2: boards.0.name"),
        ("boards:\n  - {name: a, port: x, mac: 'AA'}\n", "line 2: boards.0.mac"),
        ("boards:\n  - {name: a, port: x}\n  - {name: a, port: y}\n", "two boards have the name a"),
        ("boards:\n  - {name: a, port: x}\n  - {name: b, port: x}\n", "two boards have the port x"),
        ("boards:\n  - {name: a, port: x\n", "is not YAML in line"),
        ("- a\n- b\n", "must be a list of `key: value`"),
        (BOARDS + "checks: {connect: [{host: a, tcp_port: 0}]}\n", "checks.connect.0.tcp_port"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_line_and_key(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ProfileError) as caught:
        read(tmp_path, text)
    assert words in str(caught.value) and "shelf.yaml" in str(caught.value)


@pytest.mark.parametrize("password", ["hunter2secret", 12345678, ["hunter2secret"]])
def test_a_password_itself_is_refused_and_not_shown(tmp_path: Path, password: object) -> None:
    with pytest.raises(ProfileError, match="must not be it: {env: NAME}") as caught:
        read(tmp_path, BOARDS + f"wifi: {{ssid: x, password: {password}}}\n")
    assert "hunter2" not in str(caught.value) and "12345678" not in str(caught.value)


@pytest.mark.parametrize(
    "password",
    ["{hunter2secret}", "{env: X, hunter2secret: }", "{hunter2secret, hunter2secret}",
     "{x: {hunter2secret, hunter2secret}}", "*hunter2secret", "!hunter2secret x", "&hunter2secret [&hunter2secret x]",
     "!hunter2!secret x", "{file: *hunter2secret}"],
)  # fmt: skip
def test_a_password_in_any_spelling_is_not_shown(tmp_path: Path, password: str) -> None:
    with pytest.raises(ProfileError, match=r"line \d") as caught:
        read(tmp_path, BOARDS + f"wifi:\n  ssid: x\n  password: {password}\n")
    assert "hunter2" not in str(caught.value)


def test_a_key_that_is_there_twice_is_named_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="line 3: ssid is there twice"):
        read(tmp_path, BOARDS + "wifi: {ssid: x, ssid: y}\n")


@pytest.mark.parametrize("source", [{}, {"env": "A", "file": "b"}, {"keyring": "s"}, {"env": "A", "user": "u"}])
def test_a_secret_is_at_one_place(source: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        SecretSource(**source)
    with pytest.raises(ValidationError):
        Wifi(ssid="x", password=source)  # type: ignore[arg-type]
