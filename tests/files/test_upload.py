from __future__ import annotations

import asyncio
import random

import pytest

from bridge.board import Board
from bridge.errors import BoardReset, FileError, FileSystemFull
from bridge.files.names import scratch_for
from bridge.opening import open_board
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from tests.campaigns.kept_board import KeptBoard, start

DATA = bytes(range(256)) * 40


def measured(size: int = 100_000, **options: object) -> tuple[float, float]:
    """Share of the line at 115 200 baud that writing a file takes, and all of `put`; what came of it is compared."""
    data = random.Random(1).randbytes(size)

    async def main() -> tuple[float, float]:
        async with VirtualBoard(VirtualOptions(clock="virtual", **options)) as virtual:  # type: ignore[arg-type]
            await virtual.answered()
            port = VirtualPort(virtual)
            async with open_board(port, start=start, speeds=()) as board:
                written = await board.files.put("x" * 31, data)
                there = await board.file.getcontents("x" * 31)
            await port.close()
            assert there == data and written.size == len(data)
            rate = len(data) / 11_520
            return rate / written.write_seconds, rate / written.seconds

    return clock.run(main())


@pytest.mark.parametrize("modules", ["bit,crypto,file,net,node,ow,tmr,uart,wifi", "file,net,node,tmr,uart,wifi"])
def test_an_upload_fills_the_line(modules: str) -> None:
    """With what the flash and the CPU take; the second firmware computes checks and digests in plain Lua."""
    writing, whole = measured(modules=modules)
    print(f"{writing:.3f} of the line for writing, {whole:.3f} for all of it")
    assert writing >= 0.90 and whole >= 0.85


def test_on_a_bad_line_every_byte_is_right() -> None:
    """One of a hundred bytes is lost or damaged."""
    print(measured(20_000, drop=0.005, flip=0.005, seed=3))


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(5))
def test_on_worse_lines_every_byte_is_right(seed: int) -> None:
    print(measured(drop=0.01, flip=0.01, duplicate=0.01, seed=seed))


def test_a_flash_that_holds_something_else_leaves_the_old_file(kept: KeptBoard) -> None:
    board, flash = kept.board, kept.virtual.flash

    def wear(done: int, total: int) -> None:
        """A cell of what has been written loses its charge."""
        at = flash.read(0, flash.size).find(DATA[500:600])
        if done == total and at >= 0:
            flash.program(at, b"\0")

    async def scenario() -> None:
        await board.files.put("a", b"old")
        with pytest.raises(FileError, match="does not hold what was written of a"):
            await board.files.put("a", DATA, told=wear)
        assert await board.files.ls() == {"a": 3} and await board.files.get("a") == b"old"

    kept.run(scenario())


def test_stray_data_of_the_same_name_give_way(kept: KeptBoard) -> None:
    board = kept.board

    async def scenario() -> None:
        await board.file.putcontents(scratch_for(b"a").done, b"whose?")
        assert await board.files.ls() == {scratch_for(b"a").done: 6}
        await board.files.put("a", DATA)
        assert await board.files.ls() == {"a": len(DATA)}
        await board.file.putcontents(scratch_for(b"b").done, b"whose?")
        await board.files.rm(scratch_for(b"b").done)

    kept.run(scenario())


#: Adds to a file on the board, without the line; false when the file system is full.
FILL = """
local opened = file.open("filler", "a")
local taken = opened:write(("x"):rep(...))
opened:close()
return taken or false
"""


async def fill(board: Board, leave: int) -> None:
    """Leave so many bytes of room, or a little less."""
    while True:
        remaining, _, _ = await board.file.fsinfo()
        if remaining <= leave:
            return
        if not await board.exec(FILL, min(2000, remaining - leave)):
            return


def test_a_file_system_that_fills_up_meanwhile_keeps_the_old_file(kept: KeptBoard) -> None:
    """Somebody else writes, too: what was asked before the first byte is no longer so."""
    board = kept.board

    async def scenario() -> None:
        await board.files.put("a", b"old")
        await fill(board, 30_000)
        tasks: list[asyncio.Task[None]] = []

        def told(done: int, total: int) -> None:
            if not tasks:
                tasks.append(asyncio.ensure_future(fill(board, 500)))

        with pytest.raises(FileSystemFull, match="file system is full, and a is as it was"):
            await board.files.put("a", bytes(25_000), told=told)
        await asyncio.gather(*tasks)
        assert {*await board.files.ls()} == {"a", "filler"} and await board.files.get("a") == b"old"

    kept.run(scenario())


def test_a_board_that_restarts_meanwhile(kept: KeptBoard) -> None:
    board = kept.board

    async def scenario() -> None:
        await board.files.put("a", b"old")
        with pytest.raises(BoardReset, match="Run the same again"):
            await board.files.put("a", DATA, told=lambda done, total: kept.virtual.reset())
        assert await board.files.get("a") == b"old" and await board.files.ls() == {"a": 3}
        await board.files.put("a", DATA)
        assert await board.files.get("a") == DATA

    kept.run(scenario())


def test_an_upload_that_is_cancelled_leaves_nothing_for_long(kept: KeptBoard) -> None:
    board = kept.board

    async def scenario() -> None:
        await board.files.put("a", b"old")
        at_work = asyncio.Event()
        task = asyncio.ensure_future(board.files.put("a", DATA, told=lambda done, total: at_work.set()))
        await at_work.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        assert await board.files.ls() == {"a": 3} and await board.file.list() == {"a": 3}

    kept.run(scenario())
