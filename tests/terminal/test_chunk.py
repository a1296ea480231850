from __future__ import annotations

import asyncio

import pytest

from bridge.errors import LuaError
from bridge.opening import open_board
from bridge.terminal.chunk import LONG, Unfinished, run_chunk
from bridge.virtual import clock
from bridge.wire.values import Value

UNFINISHED = (
    "function f()", "if x then", "x =", "print(", "1 +", "--[[ no end", "x = [[no end", "for i = 1, 2 do", "x ==",
)  # fmt: skip


def run(*chunks: str, lua: str = "5.1") -> list[tuple[Value, ...] | Exception]:
    async def scenario() -> list[tuple[Value, ...] | Exception]:
        found: list[tuple[Value, ...] | Exception] = []
        async with open_board(f"virtual:?clock=virtual&lua={lua}", speeds=()) as board:
            for chunk in chunks:
                try:
                    found.append(await run_chunk(board, chunk))
                except (Unfinished, LuaError) as error:
                    found.append(error)
        return found

    return clock.run(scenario())


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_values_and_what_is_unfinished(lua: str) -> None:
    assert run("1+1", "=2+3", "  = 4", "x = 5", "x, nil", "return x", "print(1)", "", "-- words", lua=lua) == [
        (2,), (5,), (4,), (), (5, None), (5,), (), (), (),
    ]  # fmt: skip
    assert all(isinstance(each, Unfinished) for each in run(*UNFINISHED, lua=lua))
    assert run("function f(a)\nreturn a*2\nend", "f(4)", lua=lua) == [(), (8,)]


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_errors_are_those_of_the_chunk_and_nothing_runs_twice(lua: str) -> None:
    found = run(
        "n = 0", "n = n + 1 error(\"stdin:1: 'end' expected near '<eof>'\", 0)", "n", "n = n + 1 error('x near <eof>')",
        "n", "this is no Lua", "nosuch()", "\nerror('second line')", lua=lua,
    )  # fmt: skip
    _, first, once, second, twice, *errors = found
    assert isinstance(first, LuaError) and isinstance(second, LuaError) and once == (1,) and twice == (2,)
    texts = [error.text for error in errors if isinstance(error, LuaError)]
    assert [text[:8] for text in texts] == ["stdin:1:", "stdin:1:", "stdin:2:"]


def test_a_long_chunk() -> None:
    filling = "-- words that make it long\n" * (LONG // 20)
    found = run(filling + "x = 7", "x", filling + "if x then", filling + "return x + 1", filling + "error('far down')")
    assert found[:2] == [(), (7,)] and isinstance(found[2], Unfinished) and found[3] == (8,)
    assert isinstance(found[4], LuaError) and "far down" in found[4].text


def test_bytes_that_are_no_text() -> None:
    assert run(b"#'\xff\xfe'".decode("utf-8", "surrogateescape")) == [(2,)]


def test_a_chunk_may_take_its_time() -> None:
    async def scenario() -> tuple[Value, ...]:
        async with open_board("virtual:?clock=virtual", speeds=()) as board:
            return await asyncio.wait_for(run_chunk(board, "tmr.delay(4000000) return 'done'"), 30)

    assert clock.run(scenario()) == (b"done",)
