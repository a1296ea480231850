from __future__ import annotations

import pytest

from tests.cli.invoke import BOARD, invoke


def test_all_is_well(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = invoke(capfd, "doctor", "--port", BOARD)
    assert (code, err) == (0, "")
    assert [line[:4] for line in out.splitlines()] == ["ok  "] * 6
    assert "The prompt is back" in out


def test_what_is_wrong_is_said_with_what_to_do(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = invoke(capfd, "doctor", "--port", f"{BOARD}&modules=node,ow,tmr,uart")
    assert code == 1 and "FAIL  The firmware lacks net" in out
    code, out, _ = invoke(capfd, "doctor", "--port", f"{BOARD}&wifi=down")
    assert "FAIL  Wi-Fi has no address" in out
    code, out, _ = invoke(capfd, "doctor", "--port", "/dev/nosuchport")
    assert code == 1 and out.startswith("FAIL  There is no port /dev/nosuchport")
