"""bridge/rack/claiming.py: places that do not work are noted and left out."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from bridge.errors import NoPlace, PlaceFailed, PortNotFound, WrongBoard
from bridge.rack import Needs, Rack, RackFile
from bridge.rack.health import failures, heal
from bridge.rack.model import Capabilities, Place
from tests.board_process import announced, board_process
from tests.rack.witness import witness


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_place_that_does_not_answer_is_noted_and_another_one_taken(tmp_path: Path) -> None:
    async def scenario(url: str) -> None:
        gone = f"socket://127.0.0.1:{closed_port()}"
        rack = Rack.of_ports([gone, url], folder=tmp_path)
        async with await rack.claim() as lease:
            assert lease.place.name == "board-2"
        assert "nobody answers" in failures(rack.places[0], folder=tmp_path)[0].what
        only = Needs(place="board-1")
        for _ in range(2):
            with pytest.raises(PortNotFound, match=f"board-1: nobody answers at {gone}"):
                await rack.claim(only)
        with pytest.raises(NoPlace, match=r"board-1 \(.*\) is quarantined since .* rack heal board-1"):
            await rack.claim(only)
        assert rack.status().places[0].state == "quarantined"
        heal(rack.places[0], folder=tmp_path)
        with pytest.raises(PortNotFound):
            await rack.claim(only)

    with witness() as seen:
        asyncio.run(scenario(f"socket://127.0.0.1:{seen.port}"))


def test_a_device_that_is_not_there(tmp_path: Path) -> None:
    rack = Rack.of_ports([str(tmp_path / "tty")], folder=tmp_path / "state")
    with pytest.raises(PortNotFound, match="There is no port"):
        asyncio.run(rack.claim())
    assert rack.status().places[0].state == "absent"


def test_a_swapped_board_is_refused_and_named_when_it_is_opened(tmp_path: Path) -> None:
    async def scenario(url: str) -> None:
        places = [
            Place(name="a", port=url, mac="5c:cf:7f:00:00:01"),
            Place(name="b", port="socket://h:1", mac="5c:cf:7f:00:00:02"),
        ]
        rack = Rack(RackFile(version=1, places=places), folder=tmp_path)
        async with await rack.claim(Needs(place="a")) as lease:
            for opening in (lease.open_board(), lease.check_board()):
                with pytest.raises(WrongBoard, match="has the MAC address 5c:cf:7f:00:00:02, which is the board of b"):
                    await opening
        assert len(failures(places[0], folder=tmp_path)) == 2

    with board_process("--rfc2217", "127.0.0.1:0", "--mac", "5c:cf:7f:00:00:02", "--no-baud-pacing") as process:
        asyncio.run(scenario(announced(process)[1]))


def test_firmware_that_is_not_what_the_file_promises_is_told(tmp_path: Path) -> None:
    async def scenario(url: str) -> None:
        place = Place(name="a", port=url, capabilities=Capabilities(modules=["net", "uart", "mqtt", "tls"]))
        rack = Rack(RackFile(version=1, places=[place]), folder=tmp_path)
        async with await rack.claim() as lease:
            with pytest.raises(WrongBoard, match="a: the firmware on .* lacks mqtt, tls, which the rack file promises"):
                await lease.open_board()
        assert len(failures(place, folder=tmp_path)) == 1

    with board_process(
        "--rfc2217", "127.0.0.1:0", "--modules", "net,node,tmr,uart,wifi", "--no-baud-pacing"
    ) as process:
        asyncio.run(scenario(announced(process)[1]))


def test_a_folder_of_locks_that_cannot_be_used_names_place_port_and_remedy(tmp_path: Path) -> None:
    (tmp_path / "full").write_text("")
    rack = Rack.of_ports(["socket://127.0.0.1:1"], folder=tmp_path / "full")
    with pytest.raises(PlaceFailed) as caught:
        asyncio.run(rack.claim())
    text = str(caught.value)
    assert text.startswith("socket://127.0.0.1:1: board-1 cannot be locked in ") and "Make room there" in text


def block_record(folder: Path) -> None:
    record = next(folder.glob("*.lease"))
    record.unlink()
    record.mkdir()


def test_a_lease_is_good_without_its_record(tmp_path: Path) -> None:
    """A folder in the record's place stands for a disk that has room for no more files."""

    async def scenario(url: str) -> None:
        rack = Rack.of_ports([url], folder=tmp_path)
        async with await rack.claim():
            pass
        block_record(tmp_path)
        async with await rack.claim() as lease:
            port = await lease.open_port()
            port.write(b"<a:1>")
            await port.drain()
            assert "who holds it cannot be written down" in lease.notes[0] and url in lease.notes[0]
            holder = rack.status().places[0].holder
            assert holder is not None and holder.pid is None

    with witness() as seen:
        asyncio.run(scenario(f"socket://127.0.0.1:{seen.port}"))
        assert seen.names() == ["a"]
