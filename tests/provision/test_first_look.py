from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bridge.errors import BoardOutOfMemory, BootLoop, LuaError, NotNodeMCU, ReplError
from bridge.opening import open_board
from bridge.provision.first_look import ASK_SECONDS, FirstLook, look_after_reset, look_for
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from tests.variants import by_night

BOARD = VirtualOptions(clock="virtual", modules="file,net,node,ow,tmr,uart,wifi")
#: Takes the heap.
HOARD = """hoard = {}
tmr.create():alarm(200, 0, function()
  pcall(function() for n = 1, 1e6 do hoard[n] = ('x'):rep(60) .. n end end)
end)"""


@asynccontextmanager
async def board_with(
    init: str = "", options: VirtualOptions = BOARD
) -> AsyncIterator[tuple[VirtualBoard, VirtualPort]]:
    async with VirtualBoard(options) as board:
        port = VirtualPort(board)
        if init:
            async with open_board(port) as opened:
                await opened.file.putcontents("init.lua", init)
            board.reset()
        yield board, port


async def both(port: VirtualPort) -> FirstLook:
    """As for a board that may be erased."""
    found = await look_for(port, ASK_SECONDS)
    return await look_after_reset(port, lines=True, told=lambda what: None) if found.no_prompt else found


@pytest.mark.parametrize("busy", [4.5, 12.0, 17.0])
def test_a_board_that_is_busy_is_asked_until_it_answers(busy: float) -> None:
    async def scenario() -> None:
        async with board_with() as (board, port):
            await asyncio.sleep(3)
            board.hold_cpu()
            asyncio.get_running_loop().call_later(busy, board.release_cpu)
            found = await both(port)
            assert found.look is not None and not found.no_prompt

    clock.run(scenario())


def test_one_that_is_busy_for_very_long_answers_after_a_reset() -> None:
    async def scenario() -> None:
        async with board_with() as (board, port):
            await asyncio.sleep(3)
            board.hold_cpu()
            found = await look_for(port, ASK_SECONDS)
            assert found.look is None and found.no_prompt
            told: list[str] = []
            found = await look_after_reset(port, lines=True, told=told.append)
            assert found.look is not None and told == ["resetting: its prompt does not answer"]

    clock.run(scenario())


@pytest.mark.parametrize(
    ("init", "kind"),
    [
        pytest.param("node.restart()", BootLoop, marks=pytest.mark.nightly),
        pytest.param("tmr.create():alarm(50, 0, function() node.restart() end)", BootLoop, marks=pytest.mark.nightly),
        ("tmr.create():alarm(400, 0, function() node.restart() end)", BootLoop),
        ("uart.on('data', 0, function() end, 0)", ReplError),
    ],
)
def test_one_that_never_has_a_prompt(init: str, kind: type[Exception]) -> None:
    async def scenario() -> None:
        async with board_with(init) as (_board, port):
            found = await both(port)
            assert found.look is None and found.no_prompt and isinstance(found.reason, kind), found

    clock.run(scenario())


def test_a_bare_chip_and_one_without_lines() -> None:
    async def scenario() -> None:
        async with board_with(options=replace(BOARD, blank=True)) as (board, port):
            found = await both(port)
            assert found.no_prompt and isinstance(found.reason, NotNodeMCU)
            told: list[str] = []
            # Nobody presses anything, and so nobody knows what it would do after a reset.
            found = await look_after_reset(port, lines=False, told=told.append)
            assert found.look is None and not found.no_prompt
            assert told == ["press its reset button now: its prompt does not answer"]
            assert (await look_after_reset(port, lines=False, told=lambda what: board.reset())).no_prompt

    clock.run(scenario())


def test_a_reset_by_hand() -> None:
    async def scenario() -> None:
        async with board_with() as (board, port):
            await asyncio.sleep(3)
            board.hold_cpu()
            found = await look_after_reset(port, lines=False, told=lambda what: board.reset())
            assert found.look is not None

    clock.run(scenario())


@pytest.mark.parametrize(
    ("init", "kind"),
    [
        ("wifi = {}", LuaError),
        (HOARD, BoardOutOfMemory),
    ],
)
def test_one_that_cannot_say_what_it_is_has_a_prompt(init: str, kind: type[Exception]) -> None:
    async def scenario() -> None:
        async with board_with(init) as (_board, port):
            await asyncio.sleep(3)
            found = await both(port)
            assert found.look is None and isinstance(found.reason, kind) and not found.no_prompt, found

    clock.run(scenario())


@pytest.mark.parametrize("flip", by_night([0.01, 0.03, 0.05], but=[0.03]))
def test_a_damaged_line_is_no_board_without_a_prompt(flip: float) -> None:
    async def scenario() -> None:
        async with board_with(options=replace(BOARD, flip=flip, drop=flip / 5, seed=7)) as (_board, port):
            found = await both(port)
            assert found.look is not None or not found.no_prompt, found

    clock.run(scenario())
