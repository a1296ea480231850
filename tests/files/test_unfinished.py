"""What is left of uploads, in all its states; tests/campaigns/pulled_plug.py makes them by pulling the plug."""

from __future__ import annotations

import itertools

import pytest

from bridge.errors import FileError
from bridge.files.names import scratch_for
from bridge.files.unfinished import Unfinished, find_unfinished, finish, place
from tests.campaigns.kept_board import KeptBoard

SCRATCH = scratch_for(b"init.lua")
ENDINGS = ("part", "done", "name")
SUBSETS = [some for count in (1, 2, 3) for some in itertools.combinations(ENDINGS, count)]


def test_what_is_left_is_found_by_name() -> None:
    other = scratch_for(b"other")
    names = ["init.lua", SCRATCH.part, SCRATCH.name, other.done, "nodemcu-bridge.tmp", "nodemcu-bridge.0.part"]
    found = find_unfinished(names)
    assert sorted((each.scratch.tag, tuple(sorted(each.endings))) for each in found) == sorted(
        [(SCRATCH.tag, ("name", "part")), (other.tag, ("done",))]
    )


@pytest.mark.parametrize("old", [None, b"old"])
@pytest.mark.parametrize("there", SUBSETS, ids="+".join)
def test_each_state_is_finished_or_left(kept: KeptBoard, there: tuple[str, ...], old: bytes | None) -> None:
    file = kept.board.file
    complete = {"done", "name"} <= {*there}

    async def scenario() -> None:
        for ending in there:
            text = b"init.lua" if ending == "name" else b"new" if ending == "done" else b"ne"
            await file.putcontents(f"{SCRATCH.tag}.{ending}", text)
        if old is not None:
            await file.putcontents("init.lua", old)
        [left] = find_unfinished(await file.list())
        name = await finish(file, await kept.board._current(), left)
        # A file that is there may be newer than what lies beside it.
        assert name == ("init.lua" if complete and old is None else None)
        assert await file.getcontents("init.lua") == (b"new" if complete and old is None else old)
        stray = {SCRATCH.done} if "done" in there and not complete else set()
        assert {*await file.list()} - {"init.lua"} == stray, "complete data that belong to nothing are left alone"

    kept.run(scenario())


@pytest.mark.parametrize("note", [b"", b"init", b"other.lua"])
def test_a_name_that_is_not_the_right_one_is_not_believed(kept: KeptBoard, note: bytes) -> None:
    file = kept.board.file

    async def scenario() -> None:
        await file.putcontents(SCRATCH.name, note)
        await file.putcontents(SCRATCH.done, b"new")
        left = Unfinished(SCRATCH, frozenset({"done", "name"}))
        assert await finish(file, await kept.board._current(), left) is None
        assert {*await file.list()} == {SCRATCH.name, SCRATCH.done}

    kept.run(scenario())


def test_what_cannot_be_placed_is_said(kept: KeptBoard) -> None:
    async def scenario() -> None:
        with pytest.raises(FileError, match="did not rename"):
            await place(await kept.board._current(), SCRATCH, b"init.lua")

    kept.run(scenario())
