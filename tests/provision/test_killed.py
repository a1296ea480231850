"""A run that is killed at any moment is finished by the next one, with every byte right."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from tests.images import image
from tests.provision.rig import FILES, QUICK, STARTUP, shelf

#: Stages that a board goes through, about; a moment is a number of them and a part of a second.
_STAGES = 34


async def kill_at(folder: Path, seed: int, count: int) -> None:
    """Bare boards; the command is killed at a moment of the seed's, and run again."""
    rng = random.Random(seed)
    async with shelf(folder, count, replace(QUICK, blank=True)) as boards:
        process = await boards.start()
        assert process.stderr is not None
        lines = rng.randrange(1, _STAGES * count // 2)
        for _ in range(lines):
            if not await process.stderr.readline():
                break  # it was done before its moment came
        try:
            async with asyncio.timeout(rng.random()):
                await process.wait()
        except TimeoutError:
            process.kill()
        await process.communicate()
        code, out, err = await boards.run("--json")
        done = json.loads(out)
        assert (code, done["ready"]) == (0, True), f"seed {seed}: {done} {err}"
        wanted = image()
        for number, board in enumerate(boards.boards):
            for start, end in ((0, 0xB000), (0x11000, len(wanted))):
                assert board.flash.read(start, end - start) == wanted[start:end], f"seed {seed}"
            # What was under way lies there under a temporary name at most.
            there = await boards.contents(number)
            assert there == {**FILES, "init.lua": STARTUP}, f"seed {seed}"
        code, out, _ = await boards.run("--json")
        assert code == 0 and [board["changed"] for board in json.loads(out)["boards"]] == [[]] * count


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (1, 2))])
def test_killed_and_run_again(tmp_path: Path, seed: int) -> None:
    asyncio.run(kill_at(tmp_path, seed, 1))


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(100, 120))
def test_a_shelf_killed_and_run_again(tmp_path: Path, seed: int) -> None:
    asyncio.run(kill_at(tmp_path, seed, 8))
