"""Files on the board's flash."""

from __future__ import annotations

import pytest

from tests.hil.conftest import Board

NAME = "bridge-hil.tmp"


@pytest.mark.needs("file")
async def test_a_file_keeps_what_was_written(board: Board) -> None:
    contents = bytes(range(256)) * 5
    try:
        file = await board.lua.file.open(NAME, "w")
        for at in range(0, len(contents), 512):
            assert await file.write(contents[at : at + 512]) is True
        await file.close()
        await file.release()
        await board.reset()
        file = await board.lua.file.open(NAME, "r")
        read = b""
        while (piece := await file.read(500)) is not None:
            read += piece
        assert await file.seek("set", 256) == 256
        assert await file.read(3) == b"\0\1\2"
        await file.close()
        await file.release()
        assert read == contents
        assert (await board.lua.file.list())[NAME.encode()] == len(contents)
    finally:
        await board.lua.file.remove(NAME)
    assert await board.lua.file.exists(NAME) is False
    assert await board.lua.file.open(NAME, "r") is None


@pytest.mark.needs("file")
async def test_lua_in_a_file_is_run(board: Board) -> None:
    name = "bridge-hil.lua"
    try:
        file = await board.lua.file.open(name, "w")
        await file.writeline("local a, b = ...")
        await file.writeline("return 6 * 7, 'from a file'")
        await file.close()
        await file.release()
        assert await board.lua.dofile(name) == (42, b"from a file")
    finally:
        await board.lua.file.remove(name)


@pytest.mark.needs("file.getcontents")
async def test_a_file_is_written_and_read_at_once(board: Board) -> None:
    contents = bytes(range(256)) * 3
    try:
        assert await board.lua.file.putcontents(NAME, contents) is True
        assert await board.lua.file.getcontents(NAME) == contents
    finally:
        await board.lua.file.remove(NAME)
