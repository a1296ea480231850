"""A virtual board that stays open over the examples of a property, on a virtual clock of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from bridge.board import Board
from bridge.opening import open_board
from bridge.virtual.board import VirtualBoard
from bridge.virtual.clock import VirtualClockLoop
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from tests.same_epoch import start

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]


class KeptBoard:
    """The board, and what runs a coroutine on its clock."""

    def __init__(self, runner: asyncio.Runner, board: Board, virtual: VirtualBoard) -> None:
        self._runner = runner
        self.board = board
        self.virtual = virtual
        self.faults: list[str] = []
        self.errors: list[object] = []
        board.on("fault", self.faults.append)
        board.on("error", lambda error, where: self.errors.append(error))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the board's clock."""
        return self._runner.run(work)


@contextmanager
def kept_board(**options: object) -> Iterator[KeptBoard]:
    """Open a board; closed at the end."""
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        virtual = VirtualBoard(VirtualOptions(clock="virtual", **options))  # type: ignore[arg-type]

        async def begin() -> Board:
            await virtual.__aenter__()
            await virtual.answered()
            board = open_board(VirtualPort(virtual), start=start, speeds=())
            return await board.__aenter__()

        async def end(board: Board) -> None:
            await board.close()
            await virtual.__aexit__(None, None, None)

        board = runner.run(begin())
        try:
            yield KeptBoard(runner, board, virtual)
        finally:
            runner.run(end(board))
