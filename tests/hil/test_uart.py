"""Serial lines, by `board.uart`."""

from __future__ import annotations

import pytest

from bridge.errors import LuaError, UsageError
from tests.hil.conftest import Board
from tests.hil.console import heard_through


async def test_the_line_of_the_bridge_is_known_and_left_alone(board: Board) -> None:
    baud, databits, parity, stopbits = await board.uart.getconfig(0)
    assert baud >= 9600 and (databits, parity, stopbits) == (8, board.uart.PARITY_NONE, board.uart.STOPBITS_1)
    with pytest.raises(UsageError):
        await board.uart.setup(0, 9600, 8, 0, 1)
    with pytest.raises(LuaError, match="does not exist"):
        await board.uart.getconfig(2)


@pytest.mark.needs("uart.fifodepth")
async def test_the_second_uart_sends(board: Board) -> None:
    uart = board.uart
    assert await uart.setup(1, 115_200, 8, uart.PARITY_NONE, uart.STOPBITS_1) == 115_200
    await uart.write(1, bytes(range(256)) * 3)
    assert 0 <= await uart.fifodepth(1, uart.DIR_TX) <= 128


async def test_what_is_written_beside_the_frames_is_console_text(board: Board) -> None:
    async with heard_through(board, b"end of it") as heard:
        await board.uart.write(0, "line " * 100, "end of it\r\n")
    assert b"line " * 100 + b"end of it" in heard
