from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest

from bridge.board import Board
from bridge.errors import HandleClosed, LuaError
from bridge.mirror.modules.file_object import FileObject
from bridge.mirror.modules.file_pieces import CHUNK
from tests.mirror.modules.conftest import Rig

NAME = "test.bin"


@asynccontextmanager
async def opened(board: Board, mode: str, name: str = NAME) -> AsyncIterator[FileObject]:
    found = await board.file.open(name, mode)
    assert found is not None
    async with found:
        yield found


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 10_000])
async def test_any_size_is_written_and_read(board: Board, size: int) -> None:
    data = Random(size).randbytes(size)
    async with opened(board, "w") as file:
        assert await file.write(data) is True
        assert await file.flush() is True
    async with opened(board, "r") as file:
        assert await file.read(size + 10) == (data or None)
        assert await file.read() is None and await file.read(2000) is None
        assert await file.seek("set", 0) == 0
        assert await file.read_all() == data and await file.read_all() == b""
        await file.seek("set")
        assert await file.read(size) == (data or b"")


async def test_parts(board: Board) -> None:
    async with opened(board, "w+") as file:
        assert await file.writeline("one") is True and await file.writeline(b"two" * 500) is True
        assert await file.write("three") is True
        assert await file.seek() == 4 + 1501 + 5
        assert await file.seek("set", 1) == 1 and await file.seek("cur", 2) == 3
        assert await file.read("\n") == b"\n"
        assert await file.readline() == b"two" * 341 + b"t"  # 1 024 bytes of it
        assert await file.readline() == b"wo" + b"two" * 158 + b"\n"
        assert await file.read(b"r") == b"thr" and await file.read(0) == b""
        assert await file.readline() == b"ee" and await file.readline() is None
        assert await file.read() is None
        assert await file.seek("end", -5) == 1505 and await file.read(2) == b"th"
        with pytest.raises(LuaError, match="invalid option 'middle'"):
            await file.seek("middle")
        with pytest.raises(LuaError, match="wrong arg range"):
            await file.read("\r\n")
    async with opened(board, "r+") as file:
        await file.write(b"ONE")
        assert await file.readline() == b"\n"
    async with opened(board, "a") as file:
        await file.write(b"!")
    assert (await board.file.getcontents(NAME) or b"")[:4] == b"ONE\n"
    assert (await board.file.getcontents(NAME) or b"")[-3:] == b"ee!"


async def test_writes_of_several_tasks_are_each_whole(board: Board) -> None:
    pieces = [bytes([number]) * 3000 for number in range(65, 70)]
    async with opened(board, "w") as file:
        assert await asyncio.gather(*map(file.write, pieces)) == [True] * 5
    assert await board.file.getcontents(NAME) == b"".join(pieces)


async def test_a_read_that_is_cancelled_leaves_the_file_sound(board: Board) -> None:
    data = Random(3).randbytes(50_000)
    await board.file.putcontents(NAME, data)
    async with opened(board, "r") as file:
        task = asyncio.ensure_future(file.read(50_000))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        await file.seek("set", 100)
        assert await file.read(3000) == data[100:3100]


async def test_a_file_open_for_reading_takes_nothing(board: Board) -> None:
    await board.file.putcontents(NAME, b"old")
    async with opened(board, "r") as file:
        assert await file.write(b"new" * 2000) is None
    assert await board.file.getcontents(NAME) == b"old"


async def test_a_file_that_is_closed(rig: Rig, board: Board) -> None:
    await board.file.putcontents(NAME, b"old")
    file = await board.file.open(NAME)
    assert file is not None
    await file.close()
    await file.close()
    await file.release()
    assert "closed" in repr(file)
    for work in (file.read(), file.write(b""), file.seek(), file.read(5000), file.write(b"x" * 5000)):
        with pytest.raises(HandleClosed):
            await work


async def test_letting_go_closes_it(board: Board) -> None:
    for _ in range(10):  # four can be open at once
        file = await board.file.open(NAME, "w+")
        assert file is not None
        await file.write(b"kept")
        await file.release()
    assert await board.file.getcontents(NAME) == b"kept"
