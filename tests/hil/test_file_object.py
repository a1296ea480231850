"""Files that are open, by `board.file`."""

from __future__ import annotations

import pytest

from tests.hil.conftest import Board

NAME = "bridge-hil-2.tmp"


@pytest.mark.needs("file")
async def test_a_file_object_carries_any_size(board: Board) -> None:
    contents = bytes(range(256)) * 40
    try:
        made = await board.file.open(NAME, "w+")
        assert made is not None
        async with made as file:
            assert await file.write(contents) is True and await file.flush() is True
            assert await file.seek("set", 100) == 100
            assert await file.read(len(contents)) == contents[100:]
            assert await file.read() is None
        assert (await board.file.list())[NAME] == len(contents)
        assert await board.file.getcontents(NAME) == contents
    finally:
        await board.file.remove(NAME)
    assert await board.file.open(NAME) is None
