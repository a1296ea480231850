from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.board import Board
from bridge.errors import FileError, FileSystemFull, NoSuchFile, UsageError
from bridge.files.names import scratch_for
from tests.campaigns.kept_board import KeptBoard
from tests.files.conftest import BUILDS, clean
from tests.files.test_names import NAMES
from tests.files.test_upload import fill

EVERY_BYTE = bytes(range(256)) * 9


@pytest.mark.parametrize("build", BUILDS)
def test_files_come_and_go(builds: dict[str, KeptBoard], build: str) -> None:
    kept = builds[build]
    files = kept.board.files
    told: list[tuple[int, int]] = []

    async def scenario() -> None:
        await clean(kept)
        assert await files.ls() == {}
        for name, data in (("b.bin", EVERY_BYTE), ("empty", b""), ("a/b", b"x")):
            told.clear()
            written = await files.put(name, data, told=lambda done, total: told.append((done, total)))
            assert (written.name, written.size, written.digest) == (name, len(data), build.partition(",")[0])
            assert told[-1] == (len(data), len(data))
            assert await files.get(name) == data and await files.holds(name, data)
        assert list((await files.ls()).items()) == [("a/b", 1), ("b.bin", len(EVERY_BYTE)), ("empty", 0)]
        await files.put("b.bin", "text: ü")
        assert await files.get("b.bin") == "text: ü".encode()
        await files.mv("b.bin", "c.txt")
        await files.rm("empty", "a/b", "empty")
        assert await files.ls() == {"c.txt": 8} and files.finished == ()
        assert not await files.holds("c.txt", b"text: u?") and not await files.holds("nosuch", b"")

    kept.run(scenario())


@settings(max_examples=25)
@given(raw=NAMES, data=st.binary(max_size=400))
def test_any_name_and_any_bytes(builds: dict[str, KeptBoard], raw: bytes, data: bytes) -> None:
    kept = builds["crc16, 5.3"]
    name = raw.decode("utf-8", "surrogateescape")

    async def scenario() -> None:
        await clean(kept)
        await kept.board.files.put(name, b"old")
        await kept.board.files.put(name, data)
        assert await kept.board.files.ls() == {name: len(data)} and await kept.board.files.get(name) == data

    kept.run(scenario())


def test_what_is_not_there(kept: KeptBoard) -> None:
    files = kept.board.files

    async def scenario() -> None:
        await files.put("a", b"a")
        for work in (files.get("b"), files.digest("b"), files.mv("b", "c"), files.rm("b"), files.rm("a", "b")):
            with pytest.raises(NoSuchFile, match="no file b on the board"):
                await work
        assert await files.ls() == {"a": 1}, "nothing is removed when one of the names is wrong"
        with pytest.raises(FileNotFoundError):
            await files.get("b")

    kept.run(scenario())


def test_among_hundreds_of_files_one_is_found(kept: KeptBoard) -> None:
    """A list of them all has no room in the board's heap."""
    files = kept.board.files

    async def scenario() -> None:
        names = [f"a-rather-long-name-of-29-b{number:03d}" for number in range(250)]
        for name in names:
            await kept.board.file.putcontents(name, b"x")
        await files.put("a", b"a")
        assert await files.holds("a", b"a") and await files.get("a") == b"a"
        await files.mv("a", "b")
        await files.rm("b", names[0])
        assert not await files.holds("b", b"a") and not await kept.board.file.exists(names[0])
        for name in names[1:]:
            await kept.board.file.remove(name)

    kept.run(scenario())


def test_a_name_that_is_taken(kept: KeptBoard) -> None:
    files = kept.board.files

    async def scenario() -> None:
        await files.put("a", b"a")
        await files.put("b", b"b")
        for new in ("b", "a"):
            with pytest.raises(FileError, match=f"a file {new} on the board already"):
                await files.mv("a", new)
        assert await files.get("a") == b"a" and await files.get("b") == b"b"

    kept.run(scenario())


def test_names_that_cannot_be_reach_no_board(kept: KeptBoard) -> None:
    files = kept.board.files

    async def scenario() -> None:
        before = kept.virtual.statistics.bytes_to_board
        for name in ("", "x" * 32, "a\0b", "/x", scratch_for(b"a").part):
            for work in (files.put(name, b""), files.get(name), files.mv("a", name), files.mv(name, "a")):
                with pytest.raises(UsageError):
                    await work
        with pytest.raises(UsageError, match="no contents"):
            await files.put("a", 5)  # type: ignore[arg-type]
        assert kept.virtual.statistics.bytes_to_board == before

    kept.run(scenario())


def test_room_is_known_before_the_first_byte(kept: KeptBoard) -> None:
    files, flash = kept.board.files, kept.virtual.statistics

    async def scenario() -> None:
        await fill(kept.board, 40_000)
        space = await files.df()
        assert space.total - space.used == space.free and 0 < space.largest < space.free
        programmed = flash.pages_programmed
        with pytest.raises(FileSystemFull, match=f"has room for {space.largest}"):
            await files.put("a", bytes(space.largest + 1))
        assert flash.pages_programmed == programmed
        await files.put("a", bytes(space.largest))
        assert (await files.df()).largest < 251
        with pytest.raises(FileSystemFull, match="an old one of this name counts"):
            await files.put("a", b"x" * 2000)
        assert await files.get("a") == bytes(space.largest)

    kept.run(scenario())


def test_calls_of_several_tasks(kept: KeptBoard) -> None:
    files = kept.board.files

    async def scenario() -> None:
        names = [f"f{number}" for number in range(5)]
        await asyncio.gather(*(files.put(name, name.encode() * 500) for name in names))
        assert await asyncio.gather(*map(files.get, names)) == [name.encode() * 500 for name in names]

    kept.run(scenario())


def test_what_was_cut_off_is_finished_and_named(kept: KeptBoard) -> None:
    board, scratch = kept.board, scratch_for(b"init.lua")
    seen = len(board.files.finished)

    async def scenario() -> None:
        for work in (board.files.ls, board.files.df, lambda: board.files.get("init.lua")):
            await board.file.remove("init.lua")
            await board.file.putcontents(scratch.name, b"init.lua")
            await board.file.putcontents(scratch.done, b"new")
            await board.file.putcontents(scratch_for(b"other").part, b"half")
            await work()
            assert await board.file.list() == {"init.lua": 3}
        assert board.files.finished[seen:] == ("init.lua",) * 3

    kept.run(scenario())


def test_files_of_this_computer(kept: KeptBoard, tmp_path: Path) -> None:
    files = kept.board.files

    async def scenario() -> None:
        (tmp_path / "a.bin").write_bytes(EVERY_BYTE)
        assert (await files.put_file(tmp_path / "a.bin")).name == "a.bin"
        assert (await files.put_file(str(tmp_path / "a.bin"), "b/c")).size == len(EVERY_BYTE)
        assert await files.get_file("b/c", tmp_path / "fetched") == len(EVERY_BYTE)
        assert (tmp_path / "fetched").read_bytes() == EVERY_BYTE
        with pytest.raises(UsageError, match="cannot be read"):
            await files.put_file(tmp_path / "nosuch")
        with pytest.raises(UsageError, match="no folder"):
            await files.get_file("a.bin", tmp_path / "nosuch" / "a")
        (tmp_path / "kept").write_bytes(b"kept")
        with pytest.raises(NoSuchFile):
            await files.get_file("nosuch", tmp_path / "kept")
        assert (tmp_path / "kept").read_bytes() == b"kept"

    kept.run(scenario())


def test_a_pipe_that_nobody_reads_keeps_nobody_from_the_board(kept: KeptBoard, tmp_path: Path) -> None:
    """Neither who waits for the file, who may give up, nor the link: a board that is not answered goes away."""
    os.mkfifo(tmp_path / "pipe")

    async def scenario() -> None:
        await kept.board.files.put("a", b"x")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(20):
                await kept.board.files.get_file("a", tmp_path / "pipe")
        assert await kept.board.eval("1+1") == 2

    kept.run(scenario())


def test_a_folder_is_kept_the_same(kept: KeptBoard, tmp_path: Path) -> None:
    files, flash = kept.board.files, kept.virtual.statistics

    async def scenario() -> None:
        (tmp_path / "www").mkdir()
        for name, data in (("init.lua", b"print(1)"), ("www/a.html", EVERY_BYTE), ("empty", b""), (".git", b"x")):
            (tmp_path / name).write_bytes(data)
        await files.put("other", b"x")
        await files.put("init.lua", b"print(2)")  # of the same size
        planned = await files.sync(tmp_path, delete=True, dry_run=True)
        assert await files.ls() == {"other": 1, "init.lua": 8}
        told: set[str] = set()
        plan = await files.sync(tmp_path, delete=True, told=lambda name, done, total: told.add(name))
        assert plan == planned and told == {"empty", "init.lua", "www/a.html"}
        assert (plan.send, plan.same) == (["empty", "init.lua", "www/a.html"], [])
        assert (plan.remove, plan.others, plan.left_out) == (["other"], [], [".git"])
        assert await files.ls() == {"empty": 0, "init.lua": 8, "www/a.html": len(EVERY_BYTE)}
        programmed = flash.pages_programmed
        again = await files.sync(tmp_path, delete=True)
        assert (again.send, again.remove, again.same) == ([], [], plan.send)
        assert flash.pages_programmed == programmed, "what is the same is not written"
        (tmp_path / "www" / "a.html").write_bytes(EVERY_BYTE[::-1])
        (tmp_path / "empty").unlink()
        changed = await files.sync(tmp_path)
        assert (changed.send, changed.others, changed.same) == (["www/a.html"], ["empty"], ["init.lua"])
        assert await files.get("www/a.html") == EVERY_BYTE[::-1]

    kept.run(scenario())


def test_a_folder_that_does_not_fit_changes_nothing(kept: KeptBoard, tmp_path: Path) -> None:
    files = kept.board.files

    async def scenario() -> None:
        await fill(kept.board, 30_000)
        for name in ("a", "b"):
            (tmp_path / name).write_bytes(bytes(15_000))
        before = await files.ls()
        with pytest.raises(FileSystemFull, match="no room for b"):
            await files.sync(tmp_path)
        assert await files.ls() == before
        assert (await files.sync(tmp_path, delete=True)).remove == ["filler"]
        assert await files.ls() == {"a": 15_000, "b": 15_000}

    kept.run(scenario())


def test_formatting(kept: KeptBoard) -> None:
    files = kept.board.files

    async def scenario() -> None:
        await files.put("a", b"a")
        await files.format()
        assert await files.ls() == {} and (await files.df()).used == 0
        await files.put("a", b"b")
        assert await files.get("a") == b"b"

    kept.run(scenario())


def test_a_program_on_the_board_that_has_all_files_open(kept: KeptBoard) -> None:
    files = kept.board.files

    async def open_four(board: Board) -> None:
        await board.exec("held = {} for i = 1, 4 do held[i] = file.open('held', i == 1 and 'w' or 'r') end")

    async def scenario() -> None:
        await files.put("a", b"old")
        await open_four(kept.board)
        with pytest.raises(FileError):
            await files.put("a", b"new")
        with pytest.raises(FileError, match="opens no file for a"):
            await files.get("a")
        with pytest.raises(FileError, match="did not remove a"):
            await files.rm("a")
        await kept.board.exec("for i = 1, 4 do held[i]:close() end held = nil")
        assert await files.get("a") == b"old"

    kept.run(scenario())
