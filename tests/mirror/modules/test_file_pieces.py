from __future__ import annotations

import asyncio
from random import Random

import pytest

from bridge.board import Board
from bridge.mirror.modules.file_pieces import CHUNK, WRITE_CHUNK, read_pieces, write_pieces


@pytest.mark.parametrize("size", [0, 1, CHUNK, WRITE_CHUNK - 1, WRITE_CHUNK, WRITE_CHUNK + 1, 9 * WRITE_CHUNK + 5])
async def test_pieces_go_and_come_in_order_and_are_told(board: Board, size: int) -> None:
    data = Random(size).randbytes(size)
    written: list[tuple[int, int]] = []
    opened = await board.file.open("a", "w")
    assert opened is not None
    async with opened:
        assert await write_pieces(opened, data, lambda done, total: written.append((done, total))) is True
    assert [total for _, total in written] == [size] * max(1, -(-size // WRITE_CHUNK))
    assert [done for done, _ in written] == sorted(done for done, _ in written) and written[-1] == (size, size)
    read: list[int] = []
    opened = await board.file.open("a", "r")
    assert opened is not None
    async with opened:
        assert await read_pieces(opened, size, read.append) == (data or None)
    assert read == sorted(read) and read[-1:] == ([size] if size else [])


async def test_a_write_that_the_board_refuses_ends_the_others(board: Board) -> None:
    await board.file.putcontents("a", b"old")
    told: list[int] = []
    opened = await board.file.open("a", "r")
    assert opened is not None
    async with opened:
        assert await write_pieces(opened, bytes(20 * WRITE_CHUNK), lambda done, total: told.append(done)) is False
    assert told == [] and await board.file.getcontents("a") == b"old"


async def test_a_write_that_is_cancelled_leaves_no_task(board: Board) -> None:
    opened = await board.file.open("a", "w")
    assert opened is not None
    async with opened:
        task = asyncio.ensure_future(write_pieces(opened, bytes(20 * WRITE_CHUNK)))
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
    assert [each for each in asyncio.all_tasks() if "call" in repr(each.get_coro())] == []
