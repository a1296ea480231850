"""What is kept of a board while a test runs; a real agent on a virtual board on the virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bridge.board import Board
from bridge.pytest_plugin.discretion import Discretion
from bridge.pytest_plugin.watch import MESSAGES, Watch
from bridge.virtual.board import VirtualBoard
from tests.test_board import on_a_board

KEY = "QXZJVWK#hunter"


async def until(watch: Watch, wanted: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not wanted():
            watch.stirred.clear()
            await watch.stirred.wait()


def test_console_restarts_errors_and_messages_without_secrets() -> None:
    async def scenario(board: Board, virtual: VirtualBoard) -> None:
        watch = Watch(board, Discretion([KEY]))
        await board.exec(f"print('the key is {KEY}') print('pwd=\"other-secret\"')")
        await board.exec("local function f(k) end f(...)", KEY)
        assert "the key is" in watch.console() and KEY not in watch.console() and "other-secret" not in watch.console()
        wire = "\n".join(watch.wire())
        assert "SOURCE" in wire and "REPLY" in wire and KEY not in wire and "other-secret" not in wire
        assert watch.mentions("print(") and not watch.mentions("net.")
        watch.begin()
        assert watch.console() == "" and watch.wire() == []
        await board.exec("tmr.create():alarm(1, 0, function() error('x') end)")
        await until(watch, lambda: bool(watch.uncaught()))
        assert not watch.resets
        await until(watch, lambda: bool(watch.resets))
        before = watch.object_calls
        timer = await board.lua.tmr.create()
        await timer.release()
        await board.eval("1")
        assert watch.object_calls > before, "messages of the next boot are heard too"
        for number in range(MESSAGES):
            await board.eval("...", number)
        assert len(watch.wire()) == MESSAGES

    on_a_board(scenario)
