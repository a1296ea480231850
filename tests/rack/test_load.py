from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.errors import ProfileError
from bridge.rack.load import load_rack
from tests.ports.test_serial import Master

FULL = """
version: 1
state: here
ttl: 12
places:
  - name: shelf-1
    port: rfc2217://127.0.0.1:4001
    mac: "5c:cf:7f:00:00:01"
    profile: nodemcu-v2
    tags: [lua51, fast]
    capabilities: {flash: 4194304, modules: [net, tls, tmr]}
    wiring: {gpio: [[1, 2]], leds: [4]}
    power: {reset: lines, command: {cycle: [uhubctl, -a, cycle]}}
  - {name: shelf-2, usb_path: "1-1.2"}
  - {name: shelf-3, mac: "5c:cf:7f:00:00:03"}
  - {name: own-1, port: "virtual:"}
  - {name: own-2, port: "virtual:"}
"""


def load(folder: Path, text: str):  # type: ignore[no-untyped-def]
    (folder / "rack.yaml").write_text(text)
    return load_rack(folder / "rack.yaml")


def test_a_file_with_everything(tmp_path: Path) -> None:
    rack = load(tmp_path, FULL)
    assert (rack.ttl, rack.state) == (12, str(tmp_path / "here"))
    first = rack.places[0]
    assert first.wiring.gpio == [[1, 2]] and first.power.command.cycle == ["uhubctl", "-a", "cycle"]
    assert [place.where for place in rack.places[1:3]] == ["USB path 1-1.2", "MAC address 5c:cf:7f:00:00:03"]
    assert rack.places[3].is_virtual and not first.is_virtual


def test_on_and_off_are_words_here_and_power_may_be_none(tmp_path: Path) -> None:
    rack = load(
        tmp_path,
        "version: 1\nplaces:\n - {name: a, port: x, power: {command: {on: [p, 1], off: [p, 0]}}}\n"
        " - {name: b, port: y, power: none}\n".replace("[p, 1]", "[p, '1']").replace("[p, 0]", "[p, '0']"),
    )
    command = rack.places[0].power.command
    assert command.on == ["p", "1"] and command.off == ["p", "0"]
    assert rack.places[1].power.reset == "none"


A = "{name: a, port: 'socket://h:1'}"


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ([A, "{name: a, port: 'socket://h:2'}"], "two places have the name a"),
        ([A, "{name: b, port: 'socket://h:1'}"], "two places have the port socket://h:1"),
        (["{name: a, port: 'socket://127.0.0.1:1'}", "{name: b, port: 'rfc2217://localhost:1'}"],
         "a and b are on one port"),
        (["{name: a, mac: '00:00:00:00:00:01'}", "{name: b, port: 'socket://h:1', mac: '00:00:00:00:00:01'}"],
         "two places have the mac 00:00:00:00:00:01"),
        (["{name: a, port: 'ftp://h'}"], "a: ftp://h is not a kind of port"),
        (["{name: a, port: 'virtual:?nonsense=1'}"], "a: "),
        (["{name: a}"], "must have one of port, usb_path and serial_number, or mac alone"),
        (["{name: a, port: x, usb_path: y}"], "must have one of port"),
        (["{name: a, port: x, colour: red}"], "colour is not a key of a rack file"),
        (["{name: a, port: x, tags: [t, t]}"], "t is there twice"),
        (["{name: a, port: x, power: {command: {on: [p]}}}"], "must have cycle, or on and off"),
        (["{name: a, port: x, power: {command: {cycle: 'rm -rf'}}}"], "power.command.cycle"),
        (["{name: a/b, port: x}"], "name"),
        (["{name: a, port: x, mac: '5C:CF:7F:00:00:01'}"], "mac"),
    ],
)  # fmt: skip
def test_mistakes_are_one_sentence(tmp_path: Path, places: list[str], words: str) -> None:
    text = "version: 1\nplaces:\n" + "".join(f"  - {place}\n" for place in places)
    with pytest.raises(ProfileError) as caught:
        load(tmp_path, text)
    message = str(caught.value)
    assert words in message and "rack.yaml" in message and "\n" not in message
    assert caught.value.exit_code == 2


def test_two_names_of_one_device_are_one_port(tmp_path: Path) -> None:
    master = Master()
    try:
        os.symlink(master.path, tmp_path / "link")
        with pytest.raises(ProfileError, match="a and b are on one port"):
            load(
                tmp_path,
                f"version: 1\nplaces:\n - {{name: a, port: {master.path}}}\n - {{name: b, port: {tmp_path}/link}}\n",
            )
    finally:
        master.close()


@pytest.mark.parametrize(
    "text", ["", "places: []\nversion: 1", "version: 2\nplaces: [{name: a, port: x}]", "ttl: 0", "&", "- 1"]
)
def test_what_is_no_rack_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProfileError):
        load(tmp_path, text)


@pytest.mark.parametrize(
    "place",
    [
        r'{name: a, port: "/dev/x\e[2J"}',
        r'{name: a, serial_number: "S\n1"}',
        r'{name: a, port: /dev/x, tags: ["\e]0;x\a"]}',
        r'{name: a, port: /dev/x, capabilities: {modules: ["net\u202e"]}}',
        '{name: "a\\n", port: /dev/x}',
        "{name: ../a, port: /dev/x}",
        r'{name: a, port: /dev/x, "\e[2J": 1}',
        r'{name: a, port: /dev/x, tags: [a], "\e[2J": 1, "\e[2J": 2}',
        "{name: a, port: /dev/x, mac: *\x1b[2J}",
    ],
)
def test_no_text_of_a_file_can_play_with_a_terminal(tmp_path: Path, place: str) -> None:
    path = tmp_path / "rack.yaml"
    path.write_text(f"version: 1\nplaces:\n  - {place}\n")
    with pytest.raises(ProfileError) as caught:
        load_rack(path)
    assert str(caught.value).isprintable()
