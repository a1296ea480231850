"""Values both ways, and functions of the host that Lua calls."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bridge.errors import HandleClosed, LuaError
from tests.hil.conftest import Board
from tests.hil.peers import PATIENCE


async def test_numbers_are_whole_or_not_as_the_firmware_has_them(board: Board) -> None:
    whole = (0, 1, -1, 255, 65_536, 2**31 - 1, -(2**31) + 1)
    assert await board.eval("...", *whole) == whole
    if board.facts.number == "float":
        assert await board.eval("...", 0.5, -1234.25) == (0.5, -1234.25)
        assert await board.eval("7 / 2") == 3.5
    else:
        assert await board.eval("7 / 2") == 3


async def test_tables_come_and_go_whole(board: Board) -> None:
    assert await board.eval("{1, {2, 'x'}, k = true}") == {1: 1, 2: [2, b"x"], b"k": True}
    assert await board.eval("...", [1, [2, b"x"], {"k": [True]}]) == [1, [2, b"x"], {b"k": [True]}]
    assert await board.eval("#(...)", list(range(40))) == 40


async def test_text_is_bytes_and_nil_in_the_middle_stays(board: Board) -> None:
    assert await board.eval("...", "ä", None, b"", False) == ("ä".encode(), None, b"", False)
    assert await board.eval("select('#', ...)", None, None) == 2


async def test_a_chunk_longer_than_any_line_or_frame_runs(board: Board) -> None:
    source = "local t = {}\n" + "".join(f"t[#t + 1] = {number}\n" for number in range(200))
    source += "local sum = 0\nfor _, n in ipairs(t) do sum = sum + n end\nreturn sum, #t"
    assert len(source) > 3000
    assert await board.exec(source) == (sum(range(200)), 200)


async def test_what_does_not_compile_or_does_not_exist_is_said(board: Board) -> None:
    with pytest.raises(LuaError, match=r"\w+:1: .* near 'is'"):
        await board.exec("this is no Lua")
    with pytest.raises(LuaError, match="there is no tmr.nothing"):
        await board.lua.tmr.nothing(1)
    with pytest.raises(LuaError, match="attempt to index"):
        await board.lua.nothing.of_the_kind(1)
    assert await board.eval("1+1") == 2


async def test_lua_calls_functions_of_the_host(board: Board) -> None:
    calls: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
    async with asyncio.timeout(PATIENCE):
        await board.exec("local f = ... f(1, 'two', {3}) f()", lambda *values: calls.put_nowait(values))
        assert await calls.get() == (1, b"two", [3])
        assert await calls.get() == ()


async def test_a_function_that_raises_is_reported_and_the_board_goes_on(board: Board) -> None:
    errors: asyncio.Queue[BaseException] = asyncio.Queue()
    board.on("error", lambda error, *_: errors.put_nowait(error))
    try:
        async with asyncio.timeout(PATIENCE):
            await board.exec("local f = ... tmr.create():alarm(1, 0, function() f() end)", _boom)
            assert isinstance(await errors.get(), ZeroDivisionError)
        assert await board.eval("1+1") == 2
    finally:
        board.on("error", None)


def _boom() -> None:
    raise ZeroDivisionError


async def test_objects_are_handles_until_they_are_released(board: Board) -> None:
    timer = await board.lua.tmr.create()
    same = await board.exec("hil_timer = ... return hil_timer", timer)
    assert same is timer
    assert await board.eval("(...):state()", timer) is None
    await timer.register(1000, 0, lambda *_: None)
    assert await board.eval("(...):state()", timer) == (False, 0)
    await timer.unregister()
    await timer.release()
    with pytest.raises(HandleClosed):
        await board.eval("...", timer)
    await board.exec("hil_timer = nil")
