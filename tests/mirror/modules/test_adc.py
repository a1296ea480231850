from __future__ import annotations

import pytest

from bridge.board import Board
from bridge.errors import LuaError
from bridge.virtual.modules.adc import adc_of
from tests.mirror.modules.conftest import Rig


async def test_the_pin_is_measured(rig: Rig, board: Board) -> None:
    adc_of(rig.system).value = 512
    assert await board.adc.read(0) == 512
    assert await board.adc.readvdd33() == 65535
    with pytest.raises(LuaError, match="adc 1 does not exist"):
        await board.adc.read(1)


async def test_the_supply_is_measured_after_a_restart(rig: Rig, board: Board) -> None:
    assert await board.adc.force_init_mode(board.adc.INIT_VDD33) is True
    assert await board.adc.force_init_mode(board.adc.INIT_VDD33) is False
    with pytest.raises(LuaError, match="Invalid mode"):
        await board.adc.force_init_mode(7)
    await board.node.restart()
    assert await board.adc.readvdd33() == 3300 and await board.adc.read(0) == 65535
    assert await board.adc.force_init_mode(board.adc.INIT_ADC) is True
    await board.node.restart()
