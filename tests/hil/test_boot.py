"""What a board is, and that Lua on it answers."""

from __future__ import annotations

import pytest

from bridge.errors import LuaError
from tests.hil.conftest import Board
from tests.hil.console import heard_through


async def test_it_says_what_it_is(board: Board) -> None:
    assert board.facts.lua in ("5.1", "5.3")
    assert {"net", "node", "tmr", "uart"} <= set(board.facts.modules)


async def test_the_agent_leaves_room(board: Board) -> None:
    await board.lua.collectgarbage()
    assert await board.lua.node.heap() > 20_000


async def test_values_come_back_as_they_are(board: Board) -> None:
    assert await board.eval("1+1") == 2
    assert await board.eval("nil") is None
    assert await board.eval("true") is True
    assert await board.eval("'a\\0b'") == b"a\x00b"


async def test_every_byte_travels_unharmed(board: Board) -> None:
    every = bytes(range(256))
    assert await board.lua.string.reverse(every) == every[::-1]


async def test_several_results_are_a_tuple(board: Board) -> None:
    assert await board.lua.string.byte(b"AB", 1, 2) == (65, 66)


async def test_an_error_keeps_the_boards_words(board: Board) -> None:
    with pytest.raises(LuaError) as caught:
        await board.eval("error('boom', 0)")
    assert caught.value.text == "boom"


async def test_host_data_is_never_code(board: Board) -> None:
    """What would end a string and go on as Lua comes back as the bytes that it is."""
    nasty = b"]]..node.restart()..'\"\\\r\n\x00"
    assert await board.lua.tostring(nasty) == nasty


async def test_what_lua_prints_is_console_text(board: Board) -> None:
    async with heard_through(board, b"line\t3") as heard:
        assert await board.exec("for i=1,3 do print('line', i) end return ...", 7) == 7
    assert heard.replace(b"\r", b"").splitlines()[-3:] == [b"line\t1", b"line\t2", b"line\t3"]
