from __future__ import annotations

import json

import pytest

from tests.cli.invoke import BOARD, invoke


def test_for_people_and_for_programs(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = invoke(capfd, "info", "--port", BOARD)
    assert (code, err) == (0, "")
    lines = dict(line.split(None, 1) for line in out.splitlines())
    assert lines["version"] == "3.0.0" and "net" in lines["modules"]
    code, out, err = invoke(capfd, "info", "--port", f"{BOARD}&lua=5.3", "--json", "--profile", "virtual")
    found = json.loads(out)
    assert (code, err, found["lua"], found["port"]) == (0, "", "Lua 5.3", f"{BOARD}&lua=5.3")
    assert found["flash_kb"] == 4096 and found["ssl"] is True and "net" in found["modules"]
    assert {name: type(value) for name, value in found.items()} == {
        **dict.fromkeys(("port", "version", "release", "commit", "lua", "number", "chip_id", "mac", "ip"), str),
        **dict.fromkeys(("lfs_size", "heap", "flash_kb", "flash_mode", "flash_hz"), int),
        "modules": list,
        "ssl": bool,
    }


def test_what_the_firmware_does_not_say_is_null_for_programs_and_left_out_for_people(
    capfd: pytest.CaptureFixture[str],
) -> None:
    bare = f"{BOARD}&modules=node,tmr,uart"
    code, out, err = invoke(capfd, "info", "--port", bare, "--json")
    found = json.loads(out)
    assert (code, err, found["mac"], found["ip"]) == (0, "", None, None)
    code, out, err = invoke(capfd, "info", "--port", bare)
    lines = dict(line.split(None, 1) for line in out.splitlines())
    assert (code, err, lines["modules"], lines["ssl"]) == (0, "", "node,tmr,uart", "false")
    assert not {"mac", "ip"} & lines.keys() and "None" not in out


@pytest.mark.parametrize("command", [("info",), ("firmware", "check")])
def test_a_board_that_is_not_as_its_profile_says(capfd: pytest.CaptureFixture[str], command: tuple[str, ...]) -> None:
    url = f"{BOARD}&flash_size={1 << 20}"
    code, _, err = invoke(capfd, *command, "--port", url, "--profile", "virtual")
    assert code == 0 and "The profile virtual says 4096 KB of flash, and the chip has 1024" in err
    code, _, err = invoke(capfd, *command, "--port", BOARD, "--profile", "virtual")
    assert (code, err) == (0, "")


def test_an_unknown_profile(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = invoke(capfd, "info", "--port", BOARD, "--profile", "sparrow")
    assert (code, out) == (2, "") and "There is no profile sparrow" in err
