from __future__ import annotations

import random
from pathlib import Path

import pytest

from bridge import Board
from bridge.errors import NoSuchFile
from bridge.files.digest import digest
from bridge.files.names import scratch_for

pytestmark = pytest.mark.needs("file")
NAMES = ("nb_test.bin", "nb_test_" + "x" * 23)


@pytest.mark.parametrize("name", NAMES, ids=len)
async def test_a_file_is_replaced_whole(board: Board, name: str) -> None:
    data = bytes(range(256)) * 10 + random.Random(1).randbytes(9000)
    for contents in (data, b"", data[::-1]):
        written = await board.files.put(name, contents)
        assert await board.files.get(name) == contents and await board.files.holds(name, contents)
        assert await board.files.digest(name) == (written.digest, digest(written.digest, contents))
    await board.files.rm(name)
    with pytest.raises(NoSuchFile):
        await board.files.get(name)


async def test_what_was_cut_off_is_finished(board: Board) -> None:
    name = NAMES[1]
    scratch = scratch_for(name.encode())
    await board.file.putcontents(scratch.name, name)
    await board.file.putcontents(scratch.done, b"new")
    assert await board.files.get(name) == b"new" and board.files.finished[-1] == name
    # A file that is there may be newer.
    await board.file.putcontents(scratch.name, name)
    await board.file.putcontents(scratch.done, b"late")
    assert await board.files.get(name) == b"new"
    await board.file.putcontents(scratch.part, b"half")
    assert scratch.part not in await board.files.ls()
    await board.files.rm(name)


async def test_a_folder(board: Board, tmp_path: Path) -> None:
    (tmp_path / "nb_test").mkdir()
    for number in range(3):
        (tmp_path / "nb_test" / f"{number}").write_bytes(b"%d" % number * 600)
    names = [f"nb_test/{number}" for number in range(3)]
    assert (await board.files.sync(tmp_path)).send == names
    again = await board.files.sync(tmp_path)
    assert (again.send, again.same) == ([], names)
    await board.files.rm(*names)
