from __future__ import annotations

import asyncio

import pytest

from bridge.board import Board
from bridge.errors import BoardReset, LuaError, UsageError
from bridge.mirror.modules.node import Node
from bridge.mirror.table import HandleTable
from bridge.opening import open_board
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.chip.efuse import chip_id, mac_address
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from tests.mirror.caller import make_table
from tests.mirror.modules.conftest import Rig
from tests.same_epoch import start


async def test_the_chip(rig: Rig, board: Board) -> None:
    node = board.node
    assert 10_000 < await node.heap() < 50_000
    hardware = await node.info("hw")
    assert hardware["chip_id"] == await node.chipid() == chip_id(mac_address(rig.virtual.options))
    assert hardware["flash_size"] * 1024 == await node.flashsize() == 4 << 20
    assert hardware["flash_id"] == await node.flashid()
    version = await node.info("sw_version")
    assert version["node_version_major"] == 3 and version["git_branch"] == "release"
    build = await node.info("build_config")
    assert "wifi" in build["modules"].split(",")
    assert build["number_type"] == ("integer" if rig.build == "integer" else "float")
    assert (await node.info())[:4] == (3, 0, 0, hardware["chip_id"])
    with pytest.raises(LuaError, match="invalid option 'other'"):
        await node.info("other")


def test_an_older_firmware_knows_no_groups() -> None:
    async def main() -> None:
        caller, table, _ = make_table()

        async def tables() -> HandleTable:
            return table

        caller.replies["node.info"] = (2, 2, 1, 7, 8, 4096, 2, 40_000_000)
        node = Node(tables, asyncio.Event().wait)  # type: ignore[arg-type]
        assert await node.info() == (2, 2, 1, 7, 8, 4096, 2, 40_000_000)
        with pytest.raises(UsageError, match="knows no groups"):
            await node.info("hw")

    asyncio.run(main())


async def test_the_clock_of_the_cpu(board: Board) -> None:
    node = board.node
    assert await node.getcpufreq() == node.CPU160MHZ
    assert await node.setcpufreq(node.CPU80MHZ) == 80 == await node.getcpufreq()
    assert await node.setcpufreq(node.CPU160MHZ) == 160


async def test_random_numbers(rig: Rig, board: Board) -> None:
    found = await board.node.random()
    assert found == 0 if rig.build == "integer" else 0 <= found < 1
    assert {await board.node.random(2) for _ in range(30)} == {1, 2}
    assert {await board.node.random(-1, 0) for _ in range(30)} == {-1, 0}
    with pytest.raises(LuaError, match="interval is empty"):
        await board.node.random(2, 1)


async def test_compiling(board: Board) -> None:
    await board.file.putcontents("four.lua", b"return 2 + 2")
    await board.node.compile("four.lua")
    assert await board.exec("return dofile('four.lc')") == 4
    with pytest.raises(LuaError, match="not a .lua file"):
        await board.node.compile("four.txt")
    await board.file.putcontents("wrong.lua", b"return +")
    with pytest.raises(LuaError, match="wrong.lua"):
        await board.node.compile("wrong.lua")
    level = await board.node.stripdebug()
    assert level in (1, 2, 3)
    await board.node.stripdebug(3)
    assert await board.node.stripdebug() == 3
    await board.node.stripdebug(level)
    with pytest.raises(LuaError, match="Invalid strip level"):
        await board.node.stripdebug(4)


async def test_options_of_the_start(board: Board) -> None:
    node = board.node
    before = await node.startup()
    assert before == {"banner": True, "delay_mount": False, "frequency": 80}
    found = await node.startup({"banner": False, "frequency": node.CPU160MHZ, "command": "@init.lua"})
    assert found == {"banner": False, "delay_mount": False, "frequency": 160, "command": "@init.lua"}
    assert await node.startup() == found
    assert await node.startupcommand("=print('hello')") is True
    assert (await node.startup())["command"] == "=print('hello')"
    assert await node.startup({}) == before


async def test_a_restart_is_one_of_the_board(board: Board) -> None:
    timer = await board.tmr.create()
    await board.node.restart()
    assert await board.node.bootreason() == (2, 4)
    assert board.last_reset is not None and board.last_reset.cause == "software restart"
    with pytest.raises(BoardReset):
        await timer.start()


async def test_the_flash_store_of_a_board_that_has_none(board: Board) -> None:
    assert await board.node.LFS.list() is None
    assert await board.node.LFS.get("init") is None
    assert await board.node.LFS.reload("lfs.img") == "No LFS partition allocated"


def test_a_new_image_of_the_flash_store_restarts_the_board() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        asked = 0

        async def tables() -> HandleTable:
            nonlocal asked
            asked += 1
            return table

        caller.replies["node.LFS.reload"] = BoardReset()
        caller.replies["node.LFS.list"] = ([b"init", b"main"],)
        lfs = Node(tables, asyncio.Event().wait).LFS  # type: ignore[arg-type]
        assert await lfs.reload("lfs.img") is None and asked == 2
        assert await lfs.list() == ["init", "main"]

    asyncio.run(main())


async def test_settings_of_wifi_can_be_restored(board: Board) -> None:
    await board.node.restore()


async def test_what_would_end_the_link_is_refused(board: Board) -> None:
    node = board.node
    for refused in (node.input("print(1)"), node.output(print), node.setonerror(print), node.dsleep(1_000_000)):
        with pytest.raises(UsageError) as raised:
            await refused
        assert "board." in str(raised.value.remedy)
    await node.dsleep(None, 4)
    assert await node.dsleepMax() > 1e9
    assert await node.heap() > 0


def test_a_board_sleeps_by_the_remedy_and_wakes() -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual")) as virtual:
            await virtual.answered()
            port = VirtualPort(virtual)
            async with open_board(port, start=start) as board:
                with pytest.raises(UsageError) as raised:
                    await board.node.dsleep(3_000_000)
                remedy = str(raised.value.remedy)
                await board.exec(remedy[remedy.index('"') + 1 : remedy.rindex('"')])
            await asyncio.sleep(10)
            async with open_board(port, start=start) as board:
                assert (await board.node.bootreason())[1] == 5, "wake from deep sleep"
            await port.close()

    clock.run(main())
