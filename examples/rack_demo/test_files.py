"""Files on the board's flash."""

import pytest


@pytest.mark.parametrize("size", [0, 1, 100, 256, 700, 1500])
async def test_a_file_holds_what_was_written(board, size):
    content = bytes(number % 251 for number in range(size))
    await board.files.put("data.bin", content)
    assert await board.files.get("data.bin") == content
    await board.files.rm("data.bin")


@pytest.mark.parametrize("name", ["a.txt", "with-dash.lua", "UPPER"])
async def test_a_name_is_kept(board, name):
    await board.files.put(name, "content")
    assert (await board.files.ls())[name] == 7
    await board.files.rm(name)


@pytest.mark.parametrize("lines", [1, 10])
async def test_lua_reads_a_file_line_by_line(board, lines):
    await board.files.put("lines.txt", "".join(f"line {number}\n" for number in range(lines)))
    count = "local f, n = file.open('lines.txt'), 0 while f:readline() do n = n + 1 end f:close() return n"
    assert await board.exec(count) == lines
    await board.files.rm("lines.txt")
