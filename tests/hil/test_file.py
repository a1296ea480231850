"""Files on the board's flash."""

from __future__ import annotations

from collections.abc import Callable

from tests.hil.conftest import Board

NAME = "bridge-hil.tmp"


async def test_a_file_keeps_what_was_written(board: Board, needs: Callable[[str], None]) -> None:
    needs("file")
    contents = bytes(range(256)) * 3
    try:
        assert await board.lua.file.putcontents(NAME, contents) is True
        assert await board.lua.file.getcontents(NAME) == contents
        await board.reset()
        assert await board.lua.file.getcontents(NAME) == contents
    finally:
        await board.lua.file.remove(NAME)
    assert await board.lua.file.exists(NAME) is False
