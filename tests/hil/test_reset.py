"""A board that restarts under us: what was open fails clearly, and the board can be used again."""

from __future__ import annotations

import asyncio

import pytest

from bridge.errors import BoardReset, BridgeError
from tests.hil.conftest import Board
from tests.hil.peers import PATIENCE, echo, tcp_server


async def test_open_sockets_fail_with_the_reset_and_new_ones_work(board: Board, host: str) -> None:
    async with asyncio.timeout(3 * PATIENCE), tcp_server(host, echo) as port:
        socket = await board.net.createConnection()
        connected = asyncio.Event()
        socket.on("connection", lambda _: connected.set())
        await socket.connect(port, host)
        await connected.wait()
        gone: asyncio.Future[BridgeError | None] = asyncio.get_running_loop().create_future()
        socket.when_gone(gone.set_result)
        await board.reset()
        assert isinstance(await gone, BoardReset)
        with pytest.raises(BoardReset):
            await socket.send(b"x")
        assert await board.eval("1+1") == 2
        again = await board.net.createConnection()
        stands = asyncio.Event()
        again.on("connection", lambda _: stands.set())
        await again.connect(port, host)
        await stands.wait()
        await again.close()
        await again.release()


async def test_a_restart_by_lua_is_noticed(board: Board) -> None:
    async with asyncio.timeout(2 * PATIENCE):
        timer = await board.lua.tmr.create()
        gone: asyncio.Future[BridgeError | None] = asyncio.get_running_loop().create_future()
        timer.when_gone(gone.set_result)
        await board.exec("tmr.create():alarm(100, 0, node.restart)")
        assert isinstance(await gone, BoardReset)
        assert await board.eval("6*7") == 42


@pytest.mark.board(restarts=True)
async def test_an_error_in_a_callback_of_the_boards_own_restarts_it_and_is_told(board: Board) -> None:
    """3.x prints the error and restarts two seconds later; 2.x panics, and its watchdog does it."""
    async with asyncio.timeout(3 * PATIENCE):
        timer = await board.lua.tmr.create()
        gone: asyncio.Future[BridgeError | None] = asyncio.get_running_loop().create_future()
        heard = bytearray()
        board.on("console", heard.extend)
        try:
            timer.when_gone(gone.set_result)
            await board.exec("tmr.create():alarm(50, 0, function() error('oops') end)")
            assert isinstance(await gone, BoardReset)
        finally:
            board.on("console", None)
        assert b"oops" in heard
        assert await board.eval("6*7") == 42
        assert board.last_reset is not None and board.last_reset.cause is not None
