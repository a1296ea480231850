from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.errors import UsageError
from bridge.ports.base import PortInfo
from bridge.provision.claims import Claims, port_key
from bridge.provision.load import load_shelf
from bridge.provision.plan import Place, Record
from bridge.provision.record import Records
from bridge.provision.report import ShelfReport
from bridge.provision.shelf_run import provision_shelf
from tests.provision.plans import MAC, PLAN
from tests.provision.rig import QUICK, Shelf, shelf


def test_a_port_is_the_same_by_all_its_names(tmp_path: Path) -> None:
    assert port_key("rfc2217://localhost:4219") == port_key("rfc2217://127.0.0.1:4219?x=1")
    (tmp_path / "link").symlink_to("/dev/nosuchport")
    assert port_key(str(tmp_path / "link")) == port_key("/dev/nosuchport")
    assert port_key("virtual:?cpu=0") != port_key("virtual:?cpu=1")


def test_a_port_and_a_mac_address_are_one_boards() -> None:
    claims = Claims([], list)
    claims.take_port("one", "/dev/nosuchport")
    claims.take_port("one", "/dev/nosuchport")
    with pytest.raises(UsageError, match="boards one and two are both on /dev/nosuchport"):
        claims.take_port("two", "/dev/nosuchport")
    claims.take_port("one", "/dev/another")
    claims.take_port("two", "/dev/nosuchport")
    claims.take_mac("one", MAC, None)
    claims.take_mac("one", MAC, None)
    with pytest.raises(UsageError, match=f"one and two are one board: both have the MAC address {MAC}"):
        claims.take_mac("two", MAC, None)


def infos(boards: Shelf) -> list[PortInfo]:
    """Served boards, as if they were adapters of this computer."""
    return [PortInfo(server.url, usb_path=f"1-{number}") for number, server in enumerate(boards.servers, 1)]


def test_boards_are_asked_for_their_mac_address(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 3) as boards:
            there = infos(boards)
            plan = replace(PLAN, place=Place(usb_path="1-3"))
            claims = Claims([plan], lambda: there)
            claims.take_port("other", there[0].url)
            assert await claims.with_mac("5c:cf:7f:00:00:02", there) == there[1]
            for number in (1, 3):  # one is in use, the other a board's of the file
                assert await claims.with_mac(f"5c:cf:7f:00:00:0{number}", there) is None
            assert await claims.with_mac("5c:cf:7f:00:00:03", there, given=True) == there[2]
            # Boards of the file that are left out of the run are left alone as well.
            claims = Claims([replace(PLAN, place=Place(), elsewhere=(Place(usb_path="1-2"),))], lambda: there)
            assert await claims.with_mac("5c:cf:7f:00:00:02", there) is None

    asyncio.run(scenario())


async def run(boards: Shelf, entries: str) -> ShelfReport:
    text = boards.file.read_text().partition("boards:")[0]
    boards.file.write_text(f"{text}boards:\n{entries}")
    records = Records(boards.folder / "records")
    plans = load_shelf(boards.file, records.key())
    return await provision_shelf(boards.file, plans, records, ports=lambda: infos(boards))


def test_boards_are_found_by_mac_alone_bare_ones_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 2, replace(QUICK, blank=True)) as boards:
            monkeypatch.setenv("TEST_WIFI", boards.environment()["TEST_WIFI"])
            entries = '  - {name: b2, mac: "5c:cf:7f:00:00:02"}\n  - {name: b1, mac: "5c:cf:7f:00:00:01"}\n'
            for changed in (["firmware", "wifi", "files", "startup"], []):
                done = await run(boards, entries)
                assert [(one.name, one.error, one.port) for one in done.boards] == [
                    ("b2", None, boards.servers[1].url), ("b1", None, boards.servers[0].url)
                ]  # fmt: skip
                assert [one.changed for one in done.boards] == [changed, changed]
            # They change places: the record says where they were, and they are not there.
            boards.servers.reverse()
            done = await run(boards, entries)
            assert [(one.error, one.port, one.changed) for one in done.boards] == [
                (None, boards.servers[0].url, []), (None, boards.servers[1].url, [])
            ]  # fmt: skip

    asyncio.run(scenario())


def test_one_board_under_two_names_is_worked_on_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 1) as boards:
            monkeypatch.setenv("TEST_WIFI", boards.environment()["TEST_WIFI"])
            url = boards.servers[0].url
            done = await run(boards, f'  - {{name: one, port: "{url}"}}\n  - {{name: two, usb_path: 1-1}}\n')
            one, two = done.boards
            assert one.error is None and two.error is not None and "one and two are both on" in two.error

    asyncio.run(scenario())


def test_a_port_that_a_serial_number_gives_to_a_board_is_left_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 2) as boards:
            there = [replace(info, serial_number=f"A{number}") for number, info in enumerate(infos(boards))]
            claims = Claims([replace(PLAN, place=Place(serial_number="A0"))], lambda: there)
            assert await claims.with_mac("5c:cf:7f:00:00:01", there) is None
            assert await claims.with_mac("5c:cf:7f:00:00:02", there) == there[1]
            # Which of two is meant by one that both have is only told by asking.
            there[:] = [replace(info, serial_number="A0") for info in there]
            assert await claims.with_mac("5c:cf:7f:00:00:01", there) == there[0]

    asyncio.run(scenario())


def test_another_bare_board_in_the_place_of_a_known_one_is_not_flashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 1, replace(QUICK, blank=True)) as boards:
            monkeypatch.setenv("TEST_WIFI", boards.environment()["TEST_WIFI"])
            # The port had another name when the last run saw a board in this place.
            gone = "/dev/nosuchport"
            known = Record("5c:cf:7f:99:99:99", name="b1", port=gone, usb_path="1-1")
            Records(tmp_path / "records").write(known)
            before = boards.boards[0].flash.read(0, 1 << 20)
            (board,) = (await run(boards, f"  - {{name: b1, port: {gone}}}\n")).boards
            assert board.error is not None and "5c:cf:7f:99:99:99" in board.error, board
            assert "nothing has been written" in board.error
            assert boards.boards[0].flash.read(0, 1 << 20) == before

    asyncio.run(scenario())
