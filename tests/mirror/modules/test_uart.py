from __future__ import annotations

import asyncio

import pytest

from bridge.board import Board
from bridge.errors import LuaError, UsageError
from bridge.mirror.modules.uart import Uart
from bridge.mirror.table import HandleTable
from tests.mirror.caller import make_table
from tests.mirror.modules.conftest import Rig


async def test_the_second_uart(board: Board) -> None:
    uart = board.uart
    assert await uart.setup(1, 9600, 8, uart.PARITY_EVEN, uart.STOPBITS_2) == 9600
    assert await uart.getconfig(1) == (9600, 8, 2 - 1, 2)
    await uart.write(1, b"\0" * 700, "text", 255)
    assert await uart.fifodepth(1, uart.DIR_RX) == 0 and await uart.fifodepth() == 0
    for number in (2, -1):
        with pytest.raises(LuaError, match="does not exist"):
            await uart.getconfig(number)
    with pytest.raises(LuaError, match="invalid number"):
        await uart.write(1, 256)
    with pytest.raises(LuaError, match="Bad direction"):
        await uart.fifodepth(0, 7)


async def test_what_is_written_on_the_line_is_console_text(rig: Rig, board: Board) -> None:
    await asyncio.sleep(2)
    rig.printed.clear()
    text = bytes(range(32, 127)) * 8
    await board.uart.write(0, text, "more\r\n", 33)
    await asyncio.sleep(2)
    assert bytes(rig.printed) == text + b"more\r\n!"


def test_a_slow_line_does_not_keep_the_board_busy() -> None:
    async def main() -> None:
        caller, table, _ = make_table()

        async def tables() -> HandleTable:
            return table

        written: list[bytes] = []
        caller.replies["uart.write"] = lambda id, data: written.append(data) or ()  # type: ignore[func-returns-value]
        data = bytes(range(200)) * 3
        for baud, most in ((300, 3), (9600, 96), (115_200, 256), (50, 1)):
            caller.replies["uart.getconfig"] = (baud, 8, 0, 1)
            written.clear()
            await Uart(tables).write(1, data)
            assert b"".join(written) == data and max(map(len, written)) == most

    asyncio.run(main())


async def test_the_line_of_the_bridge_is_left_alone(board: Board) -> None:
    before = await board.uart.getconfig(0)
    for refused in (
        board.uart.setup(0, 9600, 8, 0, 1),
        board.uart.setup(1, 9600, 8, 0, 1, 1),
        board.uart.setup("0", 9600, 8, 0, 1),  # type: ignore[arg-type]
        board.uart.setup(0.5, 9600, 8, 0, 1),  # type: ignore[arg-type]
        board.uart.on("data", 1, print, 0),
        board.uart.alt(1),
    ):
        with pytest.raises(UsageError) as raised:
            await refused
        assert raised.value.remedy
    assert await board.uart.getconfig(0) == before
