"""The resource, the driver and the strategy, as tests of labgrid's users have them. Run by test_strategy.py."""

from __future__ import annotations

import asyncio
import os

import pytest
from labgrid import Target
from labgrid.strategy import StrategyError

from bridge.errors import WrongBoard
from bridge.labgrid_place.driver import NodeMCUDriver
from bridge.labgrid_place.strategy import NodeMCUStrategy

PLACE = os.environ["TESTED_PLACE"]


def test_a_board_is_brought_to_its_agent_and_back(target: Target, strategy: NodeMCUStrategy) -> None:
    strategy.transition("agent")
    board = target["NodeMCUDriver"].board
    assert board.net.ifinfo()["ip"].startswith("127.")
    assert strategy.transition("agent") == []
    board.exec("native_mark = 1")
    strategy.transition("off")
    assert not target.get_driver("NodeMCUDriver", activate=False)._board
    # It begins anew with a restart, where reset lines are wired.
    strategy.transition("agent")
    mark = target["NodeMCUDriver"].board.eval("native_mark")
    assert mark == (None if target.get_resource("NodeMCU").reset == "lines" else 1)


async def _count(driver: NodeMCUDriver) -> object:
    async with driver.open_board(speeds=()) as board:
        return await board.eval("6*7")


def test_coroutines_have_the_board_too(target: Target, strategy: NodeMCUStrategy) -> None:
    strategy.transition("flashed")
    assert asyncio.run(_count(target["NodeMCUDriver"])) == 42


def test_another_board_at_the_place_is_told_and_not_tried_again(target: Target, strategy: NodeMCUStrategy) -> None:
    strategy.transition("off")
    facts = target.get_resource("NodeMCU")
    facts.mac, right = "5c:cf:7f:ff:ff:ff", facts.mac
    # labgrid would put the exporter's word back as soon as it looks.
    facts._remote_entry.data["params"]["mac"] = facts.mac
    try:
        with pytest.raises(StrategyError) as raised:
            strategy.transition("agent")
        assert isinstance(raised.value.__cause__, WrongBoard) and right in str(raised.value.__cause__)
        assert strategy.broken is raised.value.__cause__
        with pytest.raises(StrategyError):
            strategy.transition("off")
    finally:
        facts._remote_entry.data["params"]["mac"] = right
        strategy.broken = None
