"""The analog input, by `board.adc`; which of its modes the board is in is not changed."""

from __future__ import annotations

import pytest

from bridge.errors import LuaError
from tests.hil.conftest import Board


@pytest.mark.needs("adc")
async def test_the_pin_or_the_supply_can_be_measured(board: Board) -> None:
    pin, supply = await board.adc.read(0), await board.adc.readvdd33()
    assert (0 <= pin <= 1024 and supply == 65535) or (pin == 65535 and 2500 < supply < 4000)
    with pytest.raises(LuaError, match="does not exist"):
        await board.adc.read(1)
    with pytest.raises(LuaError, match="Invalid mode"):
        await board.adc.force_init_mode(7)
