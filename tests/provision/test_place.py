from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.errors import PortNotFound, UsageError
from bridge.ports.base import PortInfo
from bridge.provision.claims import Claims
from bridge.provision.place import Finder
from bridge.provision.plan import Place, Record
from bridge.provision.record import Records
from tests.provision.plans import MAC, PLAN

OTHER = "5c:cf:7f:00:00:02"


def adapter(url: str, path: str | None, serial: str | None = None) -> PortInfo:
    return PortInfo(url, "", 0x10C4, 0xEA60, serial, path)


def finder(
    place: Place, there: list[PortInfo], records: Path = Path("/nosuchfolder"), mac: str | None = None
) -> Finder:
    plan = replace(PLAN, place=place, mac=mac)
    return Finder(plan, Records(records), Claims([plan], lambda: there))


def find(one: Finder) -> str:
    return asyncio.run(one.find())


def test_a_port_that_comes_back_under_another_name_is_found_by_its_place() -> None:
    there = [adapter("/dev/ttyUSB0", "1-1"), adapter("/dev/ttyUSB1", "1-2")]
    one = finder(Place(port="/dev/ttyUSB1"), there)
    assert find(one) == "/dev/ttyUSB1"
    there[:] = [adapter("/dev/ttyUSB0", "1-1"), adapter("/dev/ttyUSB2", "1-2")]
    assert find(one) == "/dev/ttyUSB2"
    there[:] = [adapter("/dev/ttyUSB0", "1-1")]
    assert find(one) == "/dev/ttyUSB1"  # opening it says that there is none


def test_a_name_that_another_adapter_has_by_now_is_not_taken() -> None:
    there = [adapter("/dev/ttyUSB0", "1-1"), adapter("/dev/ttyUSB1", "1-2")]
    one = finder(Place(port="/dev/ttyUSB0"), there)
    assert find(one) == "/dev/ttyUSB0"
    there[:] = [adapter("/dev/ttyUSB1", "1-1"), adapter("/dev/ttyUSB0", "1-2")]
    assert find(one) == "/dev/ttyUSB1"
    there[:] = [adapter("/dev/ttyUSB0", "1-2")]
    with pytest.raises(PortNotFound, match="adapter that was /dev/ttyUSB1 is gone, and /dev/ttyUSB0 is another"):
        find(one)


def test_by_path_and_by_serial_number() -> None:
    there = [adapter("/dev/a", "1-1", "X"), adapter("/dev/b", "1-2", "Y")]
    assert find(finder(Place(usb_path="1-2"), there)) == "/dev/b"
    assert find(finder(Place(serial_number="X"), there)) == "/dev/a"
    with pytest.raises(PortNotFound, match="no adapter at USB path 9"):
        find(finder(Place(usb_path="9"), there))
    with pytest.raises(PortNotFound, match="with serial number Z"):
        find(finder(Place(serial_number="Z"), there))


def test_a_serial_number_that_two_adapters_have_says_nothing() -> None:
    there = [adapter("/dev/a", "1-1", "0001"), adapter("/dev/b", "1-2", "0001")]
    with pytest.raises(UsageError, match="2 of adapter with serial number 0001: /dev/a, /dev/b.*usb_path or by mac"):
        find(finder(Place(serial_number="0001"), there))
    del there[0]
    assert find(finder(Place(serial_number="0001"), there)) == "/dev/b"


def test_ports_that_are_no_adapters_are_as_they_are() -> None:
    for url in ("rfc2217://h:1", "virtual:?cpu=0", "/dev/pts/1"):
        assert find(finder(Place(port=url), [])) == url


def remember(folder: Path, **where: str | None) -> None:
    Records(folder).write(Record(MAC, name=PLAN.name, port="/dev/ttyUSB0", **where))  # type: ignore[arg-type]


def test_a_new_run_finds_it_by_the_place_of_the_last_one(tmp_path: Path) -> None:
    remember(tmp_path, usb_path="1-1", serial_number="0001")
    there = [adapter("/dev/ttyUSB3", "1-1", "0001"), adapter("/dev/ttyUSB2", "1-2", "0001")]
    one = finder(Place(port="/dev/ttyUSB0"), there, tmp_path)
    assert find(one) == "/dev/ttyUSB3"
    assert (one.spot["usb_path"], one.spot["port"]) == ("1-1", "/dev/ttyUSB0")
    with pytest.raises(
        UsageError, match=f"has the MAC address {OTHER}, and the one that was on /dev/ttyUSB0 has {MAC}"
    ):
        one.recognise(OTHER, "/dev/ttyUSB3")
    one.recognise(MAC, "/dev/ttyUSB3")
    # Another entry of a file, and another port, are something else.
    assert find(finder(Place(port="/dev/ttyUSB1"), there, tmp_path)) == "/dev/ttyUSB1"


def test_a_name_that_went_to_another_adapter_since_the_last_run_is_refused(tmp_path: Path) -> None:
    remember(tmp_path, usb_path="1-1")
    there = [adapter("/dev/ttyUSB0", "1-2"), adapter("/dev/ttyUSB1", "1-1")]
    with pytest.raises(
        UsageError, match=f"/dev/ttyUSB0 is another adapter .*, with the board {MAC}, is /dev/ttyUSB1 now"
    ):
        find(finder(Place(port="/dev/ttyUSB0"), there, tmp_path))
    del there[1]  # the board is elsewhere: another one may be made ready on this port
    one = finder(Place(port="/dev/ttyUSB0"), there, tmp_path)
    assert find(one) == "/dev/ttyUSB0"
    one.recognise(OTHER, "/dev/ttyUSB0")


def test_another_board_in_the_same_place_is_welcome(tmp_path: Path) -> None:
    remember(tmp_path, usb_path="1-1")
    one = finder(Place(port="/dev/ttyUSB0"), [adapter("/dev/ttyUSB0", "1-1")], tmp_path)
    assert find(one) == "/dev/ttyUSB0"
    one.recognise(OTHER, "/dev/ttyUSB0")
    with pytest.raises(UsageError, match=f"and the one that this run began with has {OTHER}"):
        one.recognise(MAC, "/dev/ttyUSB0")


def test_the_mac_address_of_the_file_counts() -> None:
    one = finder(Place(port="/dev/pts/1"), [], mac=MAC)
    one.recognise(MAC, None)
    with pytest.raises(UsageError, match=f"has the MAC address {OTHER}, and the file says {MAC}"):
        one.recognise(OTHER, None)


def test_an_adapter_of_which_nothing_is_known_but_its_name_is_itself() -> None:
    one = finder(Place(port="COM5"), [adapter("COM5", None)])
    for _ in range(2):
        assert find(one) == "COM5"


def run_of(there: list[PortInfo], records: Path, **ports: str) -> dict[str, Finder]:
    """Finders of one run, by the names of the boards."""
    plans = [replace(PLAN, name=name, place=Place(port=port)) for name, port in ports.items()]
    claims = Claims(plans, lambda: there)
    return {plan.name: Finder(plan, Records(records), claims) for plan in plans}


def test_two_adapters_whose_names_change_places_in_a_run_are_found_again(tmp_path: Path) -> None:
    there = [adapter("/dev/ttyUSB0", "1-1", "0001"), adapter("/dev/ttyUSB1", "1-2", "0001")]
    boards = run_of(there, tmp_path, one="/dev/ttyUSB0", two="/dev/ttyUSB1")
    assert [find(board) for board in boards.values()] == ["/dev/ttyUSB0", "/dev/ttyUSB1"]
    there[:] = [adapter("/dev/ttyUSB1", "1-1", "0001"), adapter("/dev/ttyUSB0", "1-2", "0001")]
    assert [find(board) for board in boards.values()] == ["/dev/ttyUSB1", "/dev/ttyUSB0"]


def test_a_name_that_went_to_the_adapter_of_another_board_of_the_file_is_left_to_that(tmp_path: Path) -> None:
    for name, mac, port, path in (("one", MAC, "/dev/ttyUSB0", "1-1"), ("two", OTHER, "/dev/ttyUSB1", "1-2")):
        Records(tmp_path).write(Record(mac, name=name, port=port, usb_path=path))
    # The first one is not plugged in, so that the second one has its name.
    there = [adapter("/dev/ttyUSB0", "1-2")]
    boards = run_of(there, tmp_path, one="/dev/ttyUSB0", two="/dev/ttyUSB1")
    with pytest.raises(PortNotFound, match="/dev/ttyUSB0 is by now the adapter that two was on, and that of one is"):
        find(boards["one"])
    assert find(boards["two"]) == "/dev/ttyUSB0"
    # It comes back.
    there[:] = [adapter("/dev/ttyUSB1", "1-1"), adapter("/dev/ttyUSB0", "1-2")]
    with pytest.raises(UsageError, match="/dev/ttyUSB0 is another adapter than when one was made ready"):
        find(boards["one"])
    there[:] = [adapter("/dev/ttyUSB0", "1-1"), adapter("/dev/ttyUSB1", "1-2")]
    assert [find(board) for board in boards.values()] == ["/dev/ttyUSB0", "/dev/ttyUSB1"]


def test_the_mac_address_that_a_board_must_have(tmp_path: Path) -> None:
    remember(tmp_path, usb_path="1-1")
    one = finder(Place(port="/dev/ttyUSB0"), [adapter("/dev/ttyUSB3", "1-1")], tmp_path)
    assert one.mac is None
    find(one)
    assert one.mac == MAC
    assert finder(Place(port="x"), [], mac=OTHER).mac == OTHER
    another = finder(Place(port="x"), [])
    another.recognise(OTHER, "x")
    assert another.mac == OTHER


def test_a_name_of_the_adapter_at_a_place_that_the_file_gives_to_another_board_is_left_to_that() -> None:
    there = [adapter("/dev/ttyUSB0", "1-2")]
    plans = [replace(PLAN, name="one", place=Place(port="/dev/ttyUSB0")),
             replace(PLAN, name="two", place=Place(usb_path="1-2"))]  # fmt: skip
    claims = Claims(plans, lambda: there)
    one, two = (Finder(plan, Records(Path("/nosuchfolder")), claims) for plan in plans)
    with pytest.raises(UsageError, match="The boards two and one are both on /dev/ttyUSB0"):
        find(one)
    assert find(two) == "/dev/ttyUSB0"
