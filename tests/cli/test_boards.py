from __future__ import annotations

import json

import pytest

from tests.cli.invoke import invoke
from tests.ports.test_discover import Listed, plug


def test_what_is_plugged_in(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, Listed("/dev/ttyUSB0", 0x10C4, 0xEA60, "CP2102 USB to UART", "0001", "1-2"), Listed("/dev/ttyS0"))
    code, out, _ = invoke(capfd, "boards")
    assert code == 0 and out.startswith("/dev/ttyUSB0  10c4:ea60  CP2102 USB to UART") and "ttyS0" not in out
    code, out, _ = invoke(capfd, "boards", "--json")
    (row,) = json.loads(out)
    assert (row["url"], row["usb_vendor"], row["serial_number"], row["usb_path"]) == (
        "/dev/ttyUSB0",
        0x10C4,
        "0001",
        "1-2",
    )
    assert "profile" in row


def test_nothing(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch)
    code, out, _ = invoke(capfd, "boards")
    assert code == 0 and "No USB serial port was found" in out
    assert invoke(capfd, "boards", "--json")[1] == "[]\n"
