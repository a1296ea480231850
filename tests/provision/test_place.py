from __future__ import annotations

import pytest

from bridge.errors import PortNotFound
from bridge.ports.base import PortInfo
from bridge.provision.place import Finder
from bridge.provision.plan import Place


def adapter(url: str, path: str | None, serial: str | None = None) -> PortInfo:
    return PortInfo(url, "", 0x10C4, 0xEA60, serial, path)


def test_a_port_that_comes_back_under_another_name_is_found_by_its_place() -> None:
    there = [adapter("/dev/ttyUSB0", "1-1"), adapter("/dev/ttyUSB1", "1-2")]
    finder = Finder(Place(port="/dev/ttyUSB1"), lambda: there)
    assert finder.find() == "/dev/ttyUSB1"
    there[:] = [adapter("/dev/ttyUSB0", "1-1"), adapter("/dev/ttyUSB2", "1-2")]
    assert finder.find() == "/dev/ttyUSB2"
    there[:] = [adapter("/dev/ttyUSB0", "1-1")]
    assert finder.find() == "/dev/ttyUSB1"  # opening it says that there is none


def test_by_path_and_by_serial_number() -> None:
    there = [adapter("/dev/a", "1-1", "X"), adapter("/dev/b", "1-2", "Y")]
    assert Finder(Place(usb_path="1-2"), lambda: there).find() == "/dev/b"
    assert Finder(Place(serial_number="X"), lambda: there).find() == "/dev/a"
    with pytest.raises(PortNotFound, match="no adapter at USB path 9"):
        Finder(Place(usb_path="9"), lambda: there).find()
    with pytest.raises(PortNotFound, match="with serial number Z"):
        Finder(Place(serial_number="Z"), lambda: there).find()


def test_ports_that_are_no_adapters_are_as_they_are() -> None:
    for url in ("rfc2217://h:1", "virtual:?cpu=0", "/dev/pts/1"):
        assert Finder(Place(port=url), lambda: []).find() == url
