"""bridge/comparison/console.py: asking a board at its prompt."""

from __future__ import annotations

import pytest

from bridge.comparison.console import Console
from bridge.errors import LuaError, NotNodeMCU
from tests.comparison.boards import on_console


@pytest.mark.parametrize("options", ["", "&lua=5.3", "&echo=0", "&adapter_latency_ms=16"])
def test_an_answer_is_what_tostring_shows(options: str) -> None:
    async def ask(console: Console) -> list[str]:
        return [await console.ask(expression) for expression in ("1+1", "'a'..'b'", "nil", "node.heap()>0")]

    assert on_console(ask, options) == ["2", "ab", "nil", "true"]


def test_an_error_is_a_lua_error_and_the_prompt_still_answers() -> None:
    async def ask(console: Console) -> str:
        with pytest.raises(LuaError, match="boom"):
            await console.ask("error('boom',0)")
        return await console.ask("1")

    assert on_console(ask) == "1"


def test_a_line_is_run_before_the_next() -> None:
    async def ask(console: Console) -> str:
        await console.type("x=40")
        await console.type("x=x+2")
        return await console.ask("x")

    assert on_console(ask) == "42"


def test_a_console_that_falls_silent_is_told_and_not_waited_for() -> None:
    async def ask(console: Console) -> None:
        await console.type('tmr.create():alarm(10,0,function() uart.on("data",4,function()end,0) end)')
        await console.quiet(0.1)
        with pytest.raises(NotNodeMCU, match="gave no answer"):
            await console.ask("1")
        with pytest.raises(NotNodeMCU, match="stopped answering"):
            await console.type("x=1")

    on_console(ask)
