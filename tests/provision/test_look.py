from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.errors import NotNodeMCU
from bridge.opening import open_board
from bridge.ports.open import open_port
from bridge.provision.look import look, read_answer
from bridge.virtual import clock


@pytest.mark.parametrize("options", ["", "&lua=5.3", "&firmware=2.2.1", "&number=integer", "&flip=0.002&seed=3"])
def test_what_a_board_tells(options: str) -> None:
    async def scenario() -> None:
        port = await open_port(f"virtual:?clock=virtual&mac=5c:cf:7f:12:34:56{options}")
        async with open_board(port) as board:
            await board.file.putcontents("a=b;|x.lua", b"12345")
            heap = await board.node.heap()
        told = await look(port, ["a=b;|x.lua", "other.lua"])
        assert told is not None
        assert (told.mac, told.chip_id, told.ssid, told.status) == ("5c:cf:7f:12:34:56", "123456", "virtual", 5)
        assert told.version == ("2.2.1" if "2.2.1" in options else "3.0.0")
        assert (told.flash_bytes, told.ip) == (4 << 20, "10.77.0.2")
        assert told.files == {"a=b;|x.lua": 5}
        assert told.heap is not None and told.heap > heap - 8000
        # Nothing is left behind: a second look sees the same. (Lua's table of strings may double meanwhile: 4 KB.)
        again = await look(port, ["a=b;|x.lua"])
        assert again is not None and again.heap is not None and again.heap > told.heap - 5000
        assert replace(again, heap=told.heap) == told
        await port.close()

    clock.run(scenario())


def test_nothing_at_a_prompt() -> None:
    async def scenario() -> None:
        port = await open_port("virtual:?clock=virtual&blank=1")
        with pytest.raises(NotNodeMCU):
            await look(port)
        await port.close()

    clock.run(scenario())


@pytest.mark.parametrize("count", [95, 400])
def test_any_number_of_files_with_any_names(count: int) -> None:
    names = [f"a-rather-long-name-of-29-b{number:03d}" for number in range(count)] + ["größe.txt", "tab\tand\udcff"]

    async def scenario() -> None:
        port = await open_port("virtual:?clock=virtual&cpu=0&flash=0")
        async with open_board(port) as board:
            for name in names:
                await board.file.putcontents(name, b"12345")
        told = await look(port, [*names, "grösse.txt"])
        assert told is not None and told.files == dict.fromkeys(names, 5)
        await port.close()

    clock.run(scenario())


def test_the_name_of_a_network_comes_as_it_is() -> None:
    async def scenario() -> None:
        port = await open_port("virtual:?clock=virtual")
        ssid = "Café |;| 50 % \\ \t=ü"
        async with open_board(port) as board:
            await board.wifi.sta.config({"ssid": ssid, "pwd": "12345678", "save": True, "auto": False})
        told = await look(port)
        assert told is not None and told.ssid == ssid
        await port.close()

    clock.run(scenario())


def test_an_answer_is_read_whatever_the_firmware_leaves_out() -> None:
    told = read_answer({"lua": "Lua 5.1", "heap": "40000.0"}, {"a=b.lua": 3})
    assert (told.lua, told.heap, told.mac, told.modules) == ("Lua 5.1", 40_000, None, frozenset())
    assert told.files == {"a=b.lua": 3}
    # Lua 5.1 says nothing without an LFS image, 5.3 says 0.
    times = ({}, {"lfs_time": "0"}, {"lfs_time": "1700000000"}, {"lfs_time": "1700000000.0"})
    assert [read_answer(said, {}).lfs_time for said in times] == [None, None, 1_700_000_000, 1_700_000_000]
