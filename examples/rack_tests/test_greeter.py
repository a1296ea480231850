"""Tests of greeter.lua: what runs on the board is the program as it is; what it does is seen from this computer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge import Board, sync

PROGRAM = Path(__file__).with_name("greeter.lua").read_text()

pytestmark = pytest.mark.board(modules=["net"])


@pytest.fixture
async def greeter(board: Board):  # type: ignore[no-untyped-def]
    """The program, running; it is stopped after the test, so that the board is as it was."""
    server = await board.exec(PROGRAM, "hello", 8080)
    yield server
    await server.close()
    await server.release()


async def test_a_client_is_greeted(board_address: str, greeter: object) -> None:
    reader, writer = await asyncio.open_connection(board_address, 8080)
    assert await reader.read() == b"hello\n"
    writer.close()


async def test_a_peer_of_the_test_is_reached(board: Board, peer_echo) -> None:  # type: ignore[no-untyped-def]
    reader, writer = await board.open_connection(peer_echo.host, peer_echo.port)
    writer.write(b"ping")
    assert await reader.readexactly(4) == b"ping"
    writer.close()
    await writer.wait_closed()


@pytest.mark.board(lua="5.3")
def test_whole_numbers_of_5_3(sync_board: sync.Board) -> None:
    assert sync_board.eval("7 // 2") == 3


@pytest.mark.board(tags=["quick"])
async def test_a_board_is_chosen_by_its_tag(board: Board) -> None:
    assert board.facts.lua == "5.1"


async def test_two_boards_at_once(boards) -> None:  # type: ignore[no-untyped-def]
    one, other = await boards(2)
    assert {one.facts.lua, other.facts.lua} == {"5.1", "5.3"}
