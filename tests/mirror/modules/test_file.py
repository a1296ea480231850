from __future__ import annotations

import asyncio

import pytest

from bridge.board import Board
from bridge.errors import LinkError, LuaError, UsageError
from bridge.opening import open_board
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from tests.mirror.modules.conftest import Rig
from tests.same_epoch import start

EVERY_BYTE = bytes(range(256))


async def clean(board: Board) -> None:
    for name in await board.file.list():
        await board.file.remove(name)


async def test_files_come_and_go(board: Board) -> None:
    file = board.file
    await clean(board)
    assert await file.list() == {}
    assert await file.putcontents("a.lua", EVERY_BYTE * 20) is True
    assert await file.putcontents("b.txt", "text") is True
    assert await file.list() == {"a.lua": 5120, "b.txt": 4}
    assert await file.list("%.lua$") == {"a.lua": 5120}
    assert await file.getcontents("a.lua") == EVERY_BYTE * 20
    assert await file.exists("a.lua") and not await file.exists("nosuch")
    assert await file.rename("b.txt", "c.txt") is True and await file.rename("b.txt", "d.txt") is False
    assert await file.rename("c.txt", "a.lua") is False
    await file.remove("a.lua")
    await file.remove("nosuch")
    assert await file.list() == {"c.txt": 4}


async def test_what_is_not_there(board: Board) -> None:
    await clean(board)
    assert await board.file.getcontents("nosuch") is None
    assert await board.file.open("nosuch") is None
    assert await board.file.stat("nosuch") is None
    assert await board.file.putcontents("empty", b"") is True
    assert await board.file.getcontents("empty") is None and await board.file.exists("empty")


@pytest.mark.parametrize("name", ["ünï", "a b'\"]]", "%d %s\\n", "x" * 31, "\udcff\udcfe"])
async def test_hostile_names_are_names(board: Board, name: str) -> None:
    await clean(board)
    assert await board.file.putcontents(name, name.encode("utf-8", "surrogateescape")) is True
    assert await board.file.list() == {name: len(name.encode("utf-8", "surrogateescape"))}
    await clean(board)


@pytest.mark.parametrize("name", ["x" * 32, "a\0b"])
async def test_names_that_cannot_be(board: Board, name: str) -> None:
    for work in (board.file.open(name), board.file.exists(name), board.file.remove(name), board.file.stat(name)):
        with pytest.raises(LuaError, match="filename invalid"):
            await work


async def test_what_is_no_contents_leaves_the_file_as_it_was(board: Board) -> None:
    await board.file.putcontents("a", b"old")
    for wrong in (5, None, [b"x"]):
        with pytest.raises(UsageError, match="no contents"):
            await board.file.putcontents("a", wrong)  # type: ignore[arg-type]
    assert await board.file.getcontents("a") == b"old"


async def test_patterns_are_those_of_lua(board: Board) -> None:
    await board.file.putcontents("a", b"x")
    with pytest.raises(LuaError, match="malformed pattern"):
        await board.file.list("[")


async def test_facts_of_a_file_and_of_the_file_system(board: Board) -> None:
    await clean(board)
    before = await board.file.fsinfo()
    await board.file.putcontents("a", b"x" * 10_000)
    assert await board.file.stat("a") == {
        "size": 10_000, "name": "a", "is_dir": False, "is_rdonly": False, "is_hidden": False, "is_sys": False,
        "is_arch": False, "time": {"year": 1970, "mon": 1, "day": 1, "hour": 0, "min": 0, "sec": 0},
    }  # fmt: skip
    remaining, used, total = await board.file.fsinfo()
    assert used - before[1] >= 10_000 and remaining + used == total == before[2]
    address, size = await board.file.fscfg()
    assert address % 4096 == 0 and size > total


async def test_four_files_at_once(board: Board) -> None:
    opened = [await board.file.open(f"f{number}", "w") for number in range(5)]
    assert [file is None for file in opened] == [False] * 4 + [True]
    for file in opened:
        if file is not None:
            await file.write(b"x" * 2000)
            await file.close()
    assert set((await board.file.list("^f%d$")).values()) == {2000}


async def test_formatting(rig: Rig, board: Board) -> None:
    await board.file.putcontents("a", b"x")
    timer = await board.tmr.create()
    waiting, asked = asyncio.ensure_future(board.file.format()), asyncio.ensure_future(board.node.heap())
    await waiting
    assert await board.file.list() == {} and await asked > 0
    with pytest.raises(LinkError, match=r"left the board for its prompt"):
        await timer.start()
    assert await board.file.putcontents("a", b"y") is True and await board.file.getcontents("a") == b"y"


def test_a_full_flash_and_what_it_costs_to_fill() -> None:
    async def main() -> None:
        options = VirtualOptions(clock="virtual", flash_size=1 << 20)
        async with VirtualBoard(options) as virtual:
            await virtual.answered()
            port = VirtualPort(virtual)
            async with open_board(port, start=start) as board:
                remaining, _, _ = await board.file.fsinfo()
                began = asyncio.get_running_loop().time()
                assert await board.file.putcontents("most", bytes(remaining // 2)) is True
                seconds = asyncio.get_running_loop().time() - began
                assert remaining // 2 / seconds > 30_000  # bytes a second, with the flash's own time
                assert await board.file.putcontents("more", bytes(remaining)) is None
                assert (await board.file.stat("most") or {}).get("size") == remaining // 2
                await board.file.remove("more")
                assert await board.file.putcontents("less", b"fits") is True
                assert await board.file.getcontents("less") == b"fits"
                began = asyncio.get_running_loop().time()
                await board.file.format()
                assert asyncio.get_running_loop().time() - began > 6, "longer than a link waits"
                assert await board.file.list() == {}
            await port.close()

    clock.run(main())
