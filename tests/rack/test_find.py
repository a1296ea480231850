"""bridge/rack/find.py: virtual boards on pseudo-terminals stand for adapters, which the system would list."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridge.errors import PortBusy, PortNotFound, UsageError, WrongBoard
from bridge.ports.base import PortInfo
from bridge.ports.lock import hold_port
from bridge.rack.find import Finder, Found
from bridge.rack.model import Place
from bridge.rack.state import is_device
from tests.board_process import announced, board_process

ONE, TWO = "5c:cf:7f:00:00:01", "5c:cf:7f:00:00:02"


@contextmanager
def board(mac: str) -> Iterator[str]:
    with board_process("--pty", "--mac", mac, "--no-baud-pacing", "--cpu", "0") as process:
        yield announced(process)[1]


def find(place: Place, folder: Path, ports: list[PortInfo], *others: Place) -> Found:
    return asyncio.run(Finder([place, *others], folder, lambda: ports).find(place))


def test_a_place_without_a_mac_is_where_the_file_says(tmp_path: Path) -> None:
    ports = [
        PortInfo("/dev/a", usb_path="1-1", serial_number="S"),
        PortInfo("/dev/b", usb_path="1-2", serial_number="S"),
    ]
    assert find(Place(name="a", port="/dev/x"), tmp_path, ports).url == "/dev/x"
    assert find(Place(name="a", port="socket://h:1"), tmp_path, ports).url == "socket://h:1"
    assert find(Place(name="a", usb_path="1-2"), tmp_path, ports).url == "/dev/b"
    with pytest.raises(PortNotFound, match="a: there is no adapter with USB path 1-3"):
        find(Place(name="a", usb_path="1-3"), tmp_path, ports)
    with pytest.raises(UsageError, match="/dev/a, /dev/b all have the serial number S"):
        find(Place(name="a", serial_number="S"), tmp_path, ports)
    assert is_device("/dev/a") and not is_device("virtual:") and not is_device("socket://h:1")


def test_a_board_is_found_by_its_mac_wherever_it_is_and_a_swapped_one_is_named(tmp_path: Path) -> None:
    with board(ONE) as first, board(TWO) as second:
        ports = [PortInfo(first, usb_path="1-1"), PortInfo(second, usb_path="1-2")]
        assert find(Place(name="a", mac=TWO), tmp_path, ports) == Found(
            second, f"a is on {second} now, not where it was (MAC address {TWO})"
        )
        # Where it was found it is not asked again: the list of adapters names a port that would not answer.
        assert find(Place(name="a", mac=TWO), tmp_path, [PortInfo("/dev/null"), PortInfo(second)]).url == second
        # Another user may have written any name there: what is no adapter is not opened.
        with pytest.raises(PortNotFound):
            find(Place(name="a", mac=TWO), tmp_path, [])
        # Said to be on the first adapter, it is on the second.
        moved = Place(name="b", usb_path="1-1", mac=TWO)
        assert find(moved, tmp_path / "new", ports).url == second
        other = Place(name="mine", mac=ONE)
        gone = Place(name="c", usb_path="1-1", mac="5c:cf:7f:00:00:03")
        with pytest.raises(WrongBoard) as caught:
            find(gone, tmp_path, ports, other)
        assert str(caught.value) == (
            f"c: the board on {first} has the MAC address {ONE}, which is the board of mine; the rack file says "
            "5c:cf:7f:00:00:03. Put the right board there, or correct the rack file."
        )


def test_a_board_that_others_hold_is_left_alone(tmp_path: Path) -> None:
    with board(ONE) as first:
        place = Place(name="a", port=first, mac=ONE)
        import subprocess
        import sys

        hold = "import sys;from bridge.ports.lock import take_port;l=take_port(sys.argv[1]);print(1,flush=True);input()"
        with subprocess.Popen([sys.executable, "-c", hold, first], stdin=-1, stdout=-1, text=True) as other:
            assert other.stdout is not None and other.stdout.readline() == "1\n"
            with pytest.raises(PortBusy, match="is in use by PID"):
                find(place, tmp_path, [PortInfo(first)])
            other.kill()
        with hold_port(first):
            assert find(place, tmp_path, [PortInfo(first)]).url == first


def test_a_board_that_is_nowhere(tmp_path: Path) -> None:
    with pytest.raises(PortNotFound, match=f"a: the board with the MAC address {ONE} is not there"):
        find(Place(name="a", mac=ONE), tmp_path, [])
