from __future__ import annotations

import json

import pytest

from tests.cli.invoke import BOARD, invoke
from tests.ports.test_discover import plug


def test_all_is_well(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = invoke(capfd, "doctor", "--port", BOARD)
    assert (code, err) == (0, "")
    assert [line[:4] for line in out.splitlines()] == ["ok  "] * 7
    assert "The prompt is back" in out


def test_what_is_wrong_is_said_with_what_to_do(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = invoke(capfd, "doctor", "--port", f"{BOARD}&modules=node,ow,tmr,uart")
    assert code == 1 and "FAIL  The firmware lacks net" in out
    code, out, _ = invoke(capfd, "doctor", "--port", f"{BOARD}&wifi=down")
    assert code == 0 and "warn  Wi-Fi has no address" in out
    code, out, _ = invoke(capfd, "doctor", "--port", "/dev/nosuchport")
    assert code == 1 and out.startswith("FAIL  There is no port /dev/nosuchport")


def test_for_programs(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = invoke(capfd, "doctor", "--port", f"{BOARD}&modules=node,ow,tmr,uart", "--json")
    found = json.loads(out)
    assert code == 1 and not found["healthy"] and found["port"].startswith(BOARD)
    assert [f["check"] for f in found["findings"] if f["status"] == "fail"] == ["firmware"]


def test_without_any_port(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch)
    code, out, err = invoke(capfd, "doctor")
    assert (code, err) == (1, "") and "FAIL  No USB serial port was found. Plug a board in" in out
    code, out, _ = invoke(capfd, "doctor", "--json")
    assert code == 1 and json.loads(out)["port"] is None


def test_a_board_that_is_not_as_its_profile_says(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = invoke(capfd, "doctor", "--port", f"{BOARD}&flash_size={1 << 20}", "--profile", "virtual")
    assert code == 0 and "warn  The profile virtual says 4096 KB of flash, and the chip has 1024" in out
    assert "profile" not in invoke(capfd, "doctor", "--port", BOARD, "--profile", "virtual")[1]
