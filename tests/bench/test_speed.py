from __future__ import annotations

import random

import pytest

from bridge.bench.speed import opened_at, set_console_baud
from bridge.errors import BridgeError, NotNodeMCU
from bridge.repl import Repl
from bridge.virtual import clock
from tests.virtual_link import virtual_port


def test_a_board_at_another_speed_gets_its_console_back_at_the_first() -> None:
    async def main() -> None:
        async with virtual_port() as port:
            async with opened_at(port, 921_600, random.Random(1)) as board:
                assert port.baud == port.board.chip.baud == 921_600
                assert await board.eval("1+1") == 2
            assert port.baud == port.board.chip.baud == 115_200
            repl = Repl(port)
            await repl.sync()
            assert await repl.line("=6*7") == b"42"
            repl.release()

    clock.run(main())


def test_a_board_at_a_lower_speed_gets_its_console_back_also_when_the_measurement_fails() -> None:
    async def main() -> None:
        async with virtual_port() as port:
            with pytest.raises(BridgeError, match="no network"):
                async with opened_at(port, 57_600, random.Random(1)) as board:
                    assert await board.eval("1+1") == 2
                    assert port.baud == port.board.chip.baud == 57_600
                    raise BridgeError("no network")
            assert port.baud == port.board.chip.baud == 115_200

    clock.run(main())


def test_at_the_consoles_own_speed_nothing_is_typed() -> None:
    async def main() -> None:
        async with virtual_port() as port:
            before = len(port.board.line._runs)
            await set_console_baud(port, 115_200)
            assert port.board.queued == 0 and len(port.board.line._runs) == before

    clock.run(main())


def test_what_went_wrong_is_not_hidden_by_what_the_way_back_meets() -> None:
    async def main() -> None:
        async with virtual_port() as port:
            with pytest.raises(BridgeError, match="the user's own"):
                async with opened_at(port, 921_600, random.Random(1)):
                    port.board.unplug()
                    raise BridgeError("the user's own")

    clock.run(main())


def test_without_a_prompt_it_says_so() -> None:
    async def main() -> None:
        async with virtual_port(blank=True) as port:
            with pytest.raises(NotNodeMCU):
                await set_console_baud(port, 921_600)

    clock.run(main())
