from __future__ import annotations

from dataclasses import dataclass

import pytest

from bridge.errors import PortNotFound, UsageError
from bridge.ports import discover
from bridge.ports.base import PortInfo


@dataclass
class Listed:
    """A row as pyserial lists it; what a machine has plugged in is not for a test to decide."""

    device: str
    vid: int | None = None
    pid: int | None = None
    description: str = "n/a"
    serial_number: str | None = None
    location: str | None = None


def plug(monkeypatch: pytest.MonkeyPatch, *ports: Listed) -> None:
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: list(ports))


def test_usb_ports_only_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(
        monkeypatch,
        Listed("/dev/ttyUSB1", 0x10C4, 0xEA60, "CP2102", "0001", "1-2"),
        Listed("/dev/ttyS0"),
        Listed("/dev/ttyUSB0", 0x1A86, 0x7523),
    )
    assert discover.list_boards() == [
        PortInfo("/dev/ttyUSB0", "", 0x1A86, 0x7523),
        PortInfo("/dev/ttyUSB1", "CP2102", 0x10C4, 0xEA60, "0001", "1-2"),
    ]
    with pytest.raises(UsageError, match="/dev/ttyUSB0, /dev/ttyUSB1.*--port"):
        discover.only_board()


def test_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, Listed("COM5", 0x1A86, 0x7523))
    assert discover.only_board().url == "COM5"


def test_none(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch)
    with pytest.raises(PortNotFound, match="Plug a board in"):
        discover.only_board()


def test_the_real_list_is_readable() -> None:
    for info in discover.list_boards():
        assert info.url and info.usb_vendor is not None


@pytest.mark.parametrize(("name", "listed"), [("COM5", True), ("com5", True), ("\\\\.\\COM5", True), ("COM55", False)])
def test_what_the_system_lists(monkeypatch: pytest.MonkeyPatch, name: str, listed: bool) -> None:
    plug(monkeypatch, Listed("COM5"), Listed("COM1", 1, 2))
    assert discover.is_listed(name) is listed
