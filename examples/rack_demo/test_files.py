"""Files on the board's flash."""

import pytest


@pytest.mark.parametrize("size", [0, 1, 100, 256, 700, 1500])
async def test_a_file_holds_what_was_written(board, tmp_path, size):
    content = bytes(number % 251 for number in range(size))
    (tmp_path / "data.bin").write_bytes(content)
    await board.files.put(tmp_path / "data.bin")
    assert await board.files.read("data.bin") == content
    await board.files.remove("data.bin")


@pytest.mark.parametrize("name", ["a.txt", "with-dash.lua", "UPPER", "x.y.z"])
async def test_a_name_is_kept(board, tmp_path, name):
    (tmp_path / name).write_text("content")
    await board.files.put(tmp_path / name)
    assert name in [file.name for file in await board.files.list()]
    await board.files.remove(name)


@pytest.mark.parametrize("lines", [1, 10])
async def test_lua_reads_a_file_line_by_line(board, tmp_path, lines):
    (tmp_path / "lines.txt").write_text("".join(f"line {number}\n" for number in range(lines)))
    await board.files.put(tmp_path / "lines.txt")
    count = "local f, n = file.open('lines.txt'), 0 while f:readline() do n = n + 1 end f:close() return n"
    assert await board.exec(count) == lines
    await board.files.remove("lines.txt")
