"""Test files for a virtual board on the virtual clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bridge.board import Board
from bridge.ntest import FileRun, Job, run_file
from bridge.opening import open_board
from bridge.virtual import clock
from tests.same_epoch import start
from tests.virtual_link import virtual_port

#: How each of them begins.
HEAD = 'local N = ...\nN = (N or require "NTest")("run")\n'


def on_a_board(scenario: Callable[[Board], Awaitable[None]], **options: object) -> None:
    """Run a scenario with an open board."""

    async def main() -> None:
        async with virtual_port(**options) as port, open_board(port, start=start) as board:
            await scenario(board)

    clock.run(main())


def run_of(source: str, *, head: str = HEAD, job: dict[str, object] | None = None, **options: object) -> FileRun:
    """What comes of a test file on a board of its own, which is as it was before afterwards."""
    found: list[FileRun] = []

    async def scenario(board: Board) -> None:
        found.append(await run_file(board, Job("NTest_x.lua", (head + source).encode(), **(job or {}))))  # type: ignore[arg-type]
        assert await board.eval("1 + 1") == 2
        assert await board.eval("ntshim == nil and package.loaded.NTest == nil and ok == nil") is True
        assert await board.files.ls() == {}

    on_a_board(scenario, **options)
    return found[0]
