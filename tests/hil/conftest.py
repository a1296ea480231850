"""Tests of a board: any board. They ask only for the fixture `board`, and `--board URL` says which it is.

`@pytest.mark.needs("net", "file.putcontents")` names what a test cannot do without: modules of the firmware, or
functions. It is skipped, and says so, on a board that lacks one. `@pytest.mark.needs_heap(24_000)` names free bytes: a
board that has fewer, because of what tests before have left in the agent and in the stack, is restarted first.

The rest is the plugin's (`bridge.pytest_plugin`): tests are coroutines on one event loop, on which the board stays open
from test to test; it is clean before a test and looked at after it.
"""

from __future__ import annotations

import pytest

import bridge
from bridge import sync

Board = bridge.Board


@pytest.fixture(autouse=True)
def _has_what_is_needed(request: pytest.FixtureRequest) -> None:
    names = [name for mark in request.node.iter_markers("needs") for name in mark.args]
    if not names:
        return
    board: sync.Board = request.getfixturevalue("sync_board")
    for name in names:
        module, dot, _ = name.partition(".")
        if module not in board.facts.modules or dot and not board.eval(f"{name} ~= nil"):
            pytest.skip(f"the board's firmware has no {name}")


@pytest.fixture(autouse=True)
def _has_the_heap_that_is_needed(request: pytest.FixtureRequest, _has_what_is_needed: None) -> None:
    wanted = max((mark.args[0] for mark in request.node.iter_markers("needs_heap")), default=0)
    if wanted:
        board: sync.Board = request.getfixturevalue("sync_board")
        board.lua.collectgarbage()
        if board.eval("node.heap()") < wanted:
            board.reset()


@pytest.fixture
def host(host_address: str) -> str:
    """The host's address as the board can reach it."""
    return host_address


@pytest.fixture
def address(board_address: str) -> str:
    """The board's own address."""
    return board_address
