"""bridge/comparison/restart.py: a fresh boot, by lines or by words."""

from __future__ import annotations

import pytest

from bridge.comparison.console import Console
from bridge.comparison.restart import has_lines, restart
from bridge.errors import NotNodeMCU
from tests.comparison.boards import on_console

RAW_MODE = 'tmr.create():alarm(10,0,function() uart.on("data",4,function()end,0) end)'


@pytest.mark.parametrize("hold_s", [0.1, None])
def test_the_boot_is_told_from_its_banner_to_its_prompt(hold_s: float | None) -> None:
    async def boot(console: Console) -> bytes:
        await console.type("x=1")
        heard = await restart(console, hold_s)
        assert await console.ask("x") == "nil"
        return heard

    heard = on_console(boot)
    assert heard.startswith(b"\r\nNodeMCU ")
    assert heard.endswith(b"\r\n> ")


def test_lines_reach_a_board_that_no_longer_answers() -> None:
    async def boot(console: Console) -> str:
        await console.type(RAW_MODE)
        await console.quiet(0.1)
        await restart(console)
        return await console.ask("1")

    assert on_console(boot) == "1"


def test_words_cannot_and_that_is_said() -> None:
    async def boot(console: Console) -> None:
        await console.type(RAW_MODE)
        await console.quiet(0.1)
        with pytest.raises(NotNodeMCU, match="no reset lines"):
            await restart(console, None)

    on_console(boot)


def test_half_typed_lines_and_unfinished_chunks_are_ended() -> None:
    async def boot(console: Console) -> bytes:
        console.port.write(b"do print(1)\r\nprin")
        await console.quiet(0.2)
        return await restart(console, None)

    assert on_console(boot).startswith(b"\r\nNodeMCU ")


def test_a_port_may_have_lines_that_lead_nowhere() -> None:
    async def ask(console: Console) -> tuple[bool, bool]:
        return await has_lines(console.port), await has_lines(console.port, None)

    assert on_console(ask) == (True, False)
