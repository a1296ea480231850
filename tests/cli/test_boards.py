from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tests.board_process import announced, board_process
from tests.cli.invoke import BOARD, invoke
from tests.ports.test_discover import Listed, plug


def test_what_is_plugged_in(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, Listed("/dev/ttyUSB0", 0x10C4, 0xEA60, "CP2102 USB to UART", "0001", "1-2"), Listed("/dev/ttyS0"))
    code, out, _ = invoke(capfd, "boards")
    assert code == 0 and "ttyS0" not in out
    assert out == "/dev/ttyUSB0  10c4:ea60  CP2102 USB to UART  serial number 0001  USB path 1-2  nodemcu-v2\n"
    code, out, _ = invoke(capfd, "boards", "--json")
    (row,) = json.loads(out)
    assert (row["url"], row["usb_vendor"], row["serial_number"], row["usb_path"]) == (
        "/dev/ttyUSB0",
        0x10C4,
        "0001",
        "1-2",
    )
    assert (row["profile"], row["profiles"], row["probe"]) == ("nodemcu-v2", ["nodemcu-v2"], None)


def test_an_adapter_that_several_kinds_have(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, Listed("/dev/ttyUSB0", 0x1A86, 0x7523, "USB2.0-Serial"), Listed("/dev/ttyUSB1", 0xDEAD, 1))
    out = invoke(capfd, "boards")[1]
    assert out == "/dev/ttyUSB0  1a86:7523  USB2.0-Serial  nodemcu-v3 or wemos-d1-mini\n/dev/ttyUSB1  dead:0001\n"
    rows = json.loads(invoke(capfd, "boards", "--json")[1])
    assert [(row["profile"], row["profiles"]) for row in rows] == [(None, ["nodemcu-v3", "wemos-d1-mini"]), (None, [])]


def test_nothing(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch)
    code, out, _ = invoke(capfd, "boards")
    assert code == 0 and "No USB serial port was found" in out
    assert invoke(capfd, "boards", "--json")[1] == "[]\n"
    assert invoke(capfd, "boards", "--probe")[0] == 0


def test_no_port_is_opened_unasked(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, Listed("/dev/ttyUSB0", 0x1A86, 0x7523))

    async def opened(url: str, **options: object) -> None:
        raise AssertionError(f"{url} was opened")

    monkeypatch.setattr("bridge.identify.open_port", opened)
    assert invoke(capfd, "boards")[0] == 0
    with pytest.raises(AssertionError, match="ttyUSB0 was opened"):
        invoke(capfd, "boards", "--probe")


def test_a_profile_of_the_user_s_that_is_wrong_takes_no_port_away(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plug(monkeypatch, Listed("/dev/ttyUSB0", 0xDEAD, 1))
    monkeypatch.setenv("NODEMCU_BRIDGE_PROFILES", str(tmp_path))
    (tmp_path / "mine.yaml").write_text("name: mine\nmatch: [{vendor: 0xdead, product: 1}]\n")
    (tmp_path / "bad.yaml").write_text("name: bad\ncolour: red\n")
    code, out, err = invoke(capfd, "boards", "--json")
    assert code == 0 and json.loads(out)[0]["profile"] == "mine"
    assert "bad.yaml, line 2: colour is not a key of a profile" in err


def test_what_is_on_them(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = invoke(capfd, "boards", "--probe", "--port", BOARD)
    first, second = out.splitlines()
    assert code == 0 and first == BOARD
    assert (
        second.startswith("    ESP8266, MAC ") and "4096 KB of flash; NodeMCU 3.0.0, Lua 5.1, float; modules" in second
    )
    (row,) = json.loads(invoke(capfd, "boards", "--probe", "--port", BOARD, "--json")[1])
    assert row["probe"]["known"] and row["probe"]["firmware"]["port"] == BOARD
    assert row["probe"]["mac"] == row["probe"]["firmware"]["mac"]


def test_a_chip_that_is_not_what_its_adapter_s_profile_says(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plug(monkeypatch, Listed(f"{BOARD}&flash_size=1048576", 0x10C4, 0xEA60, "CP2102"))
    out = invoke(capfd, "boards", "--probe")[1]
    assert "The profile nodemcu-v2 says 4096 KB of flash, and the chip has 1024" in out
    plug(monkeypatch, Listed(BOARD, 0x10C4, 0xEA60, "CP2102"))
    assert json.loads(invoke(capfd, "boards", "--probe", "--json")[1])[0]["probe"]["notes"] == []


def test_a_broken_port_beside_a_good_one(capfd: pytest.CaptureFixture[str]) -> None:
    with board_process("--rfc2217", "127.0.0.1:0", "--no-baud-pacing") as process:
        _, url = announced(process)
        arguments = ["--probe", "--port", "/dev/nosuchport", "--port", url, "--port", url]
        code, out, err = invoke(capfd, "boards", *arguments, "--json")
    schema = json.loads((Path(__file__).parent.parent.parent / "schemas" / "boards.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(json.loads(out))
    broken, good = json.loads(out)
    assert code == 1 and err == ""
    assert not broken["probe"]["known"] and "/dev/nosuchport" in broken["probe"]["trouble"]
    assert good["probe"]["known"] and good["probe"]["trouble"] is None


def test_the_rom_goes_with_probing(capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = invoke(capfd, "boards", "--rom")
    assert code == 2 and "--rom goes with --probe" in err
