import asyncio
import re

import pytest

from bridge import loader_lines as lines
from bridge.errors import BoardReset, ReplError
from bridge.loader import Loader
from bridge.loader_talk import PROMPT, Talk
from bridge.repl import Repl
from bridge.virtual import clock
from tests.virtual_link import virtual_port


def test_a_line_is_said_once_and_its_answer_found() -> None:
    async def main() -> None:
        async with virtual_port() as port:
            repl = Repl(port)
            await repl.sync()
            talk = Talk(repl, 10.0)
            found = await talk.say(b"print('@'..6*7)", re.compile(rb"@(\d+)\r"))
            assert found is not None and found[1] == b"42"
            assert await talk.say(b"x = 1", PROMPT) is not None
            assert await talk.say(b"print('@'..7)", re.compile(rb"@8\r")) is None
            assert 0.0 < talk.damage < 0.05

    clock.run(main())


async def reading(repl: Repl, seconds: float = 30.0) -> Loader:
    """A loader as on a bad line: what it has prepared, the board's own reader runs."""
    await repl.sync()
    loader = Loader(repl, seconds)
    for _ in range(2):  # nobody answers so
        await loader._talk.say(b"x = 1", re.compile(rb"@@@"))
    await loader.prepare()
    return loader


@pytest.mark.parametrize("modules", ["net,node,ow,tmr,uart", "net,node,ow"])
def test_the_reader_has_the_uart_where_the_firmware_can_and_only_meanwhile(modules: str) -> None:
    async def main() -> None:
        async with virtual_port(modules=modules) as port:
            repl = Repl(port)
            loader = await reading(repl)
            assert port.board.chip.takes_lines is ("uart" not in modules)
            assert await loader.run("return 5") == "5"
            await loader.finish()
            assert await repl.line("=_nb") == b"nil" and port.board.chip.takes_lines

    clock.run(main())


def test_a_good_line_is_left_to_the_prompt() -> None:
    async def main() -> None:
        async with virtual_port() as port:
            repl = Repl(port)
            await repl.sync()
            loader = Loader(repl)
            await loader.prepare()
            assert await loader.run("return 5") == "5" and port.board.chip.takes_lines

    clock.run(main())


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
@pytest.mark.parametrize("seconds", [0.01, 0.1])
def test_a_board_that_restarts_while_the_reader_has_the_uart_is_noticed_soon(lua: str, seconds: float) -> None:
    async def main() -> None:
        async with virtual_port(lua=lua) as port:
            loader = await reading(Repl(port))
            loop = asyncio.get_running_loop()
            loop.call_later(seconds, port.board.reset)
            began = loop.time()
            with pytest.raises(BoardReset, match="while the agent was put on it"):
                for _ in range(100):
                    await loader.run("return 1" + " " * 100)
            assert loop.time() - began < seconds + 1.0

    clock.run(main())


def test_a_board_that_hears_nothing_more_gives_the_prompt_back_by_itself() -> None:
    async def main() -> None:
        async with virtual_port() as port:
            repl = Repl(port)
            loader = await reading(repl)
            await asyncio.sleep(lines.RAW_SECONDS + 0.1)
            assert port.board.chip.takes_lines
            # What was put on it is still there, and a host that was only late goes on.
            assert await loader.run("return 5") == "5"
            assert not port.board.chip.takes_lines

    clock.run(main())


def test_a_board_that_answers_nothing_is_given_up_long_before_the_end() -> None:
    async def main() -> None:
        async with virtual_port() as port:
            repl = Repl(port)
            loader = await reading(repl, 300.0)
            port.board.chip.power_off()
            began = asyncio.get_running_loop().time()
            with pytest.raises(ReplError, match="has got through for 10 s"):
                await loader.run("return 5")
            assert asyncio.get_running_loop().time() - began < 12.0

    clock.run(main())
