"""Boards of several builds on the virtual clock, opened when they are first used, for all tests of files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.campaigns.kept_board import KeptBoard, kept_board

_FEW = "bit,file,net,node,tmr,uart,wifi"
#: Builds by the digest that they can compute, and by their numbers.
BUILDS: dict[str, dict[str, object]] = {
    "sha256": {},
    "crc16": {"modules": f"{_FEW},ow"},
    "sum": {"modules": _FEW},
    "sum, integer": {"modules": _FEW, "number": "integer"},
    "sum, 5.3": {"modules": _FEW, "lua": "5.3"},
    "crc16, 5.3": {"modules": f"{_FEW},ow", "lua": "5.3"},
}


@pytest.fixture(scope="package")
def builds() -> Iterator[dict[str, KeptBoard]]:
    """Boards that are open, by build; kept in the dict by `kept`."""
    with ExitStack() as stack:
        opened: dict[str, KeptBoard] = {}

        class Opened(dict[str, KeptBoard]):
            def __missing__(self, build: str) -> KeptBoard:
                board = stack.enter_context(kept_board(cpu=0, flash=0, flash_size=1 << 20, **BUILDS[build]))
                opened[build] = self[build] = board
                return board

        yield Opened()


@pytest.fixture
def kept(builds: dict[str, KeptBoard]) -> Iterator[KeptBoard]:
    """A board with an empty file system."""
    board = builds["sha256"]
    board.run(clean(board))
    yield board
    assert (board.faults, board.errors) == ([], [])


async def clean(kept: KeptBoard) -> None:
    """Remove all files."""
    for name in await kept.board.file.list():
        await kept.board.file.remove(name)
