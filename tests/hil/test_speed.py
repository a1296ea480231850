"""The line's speed: made faster while the board is open, and given back at the end."""

from __future__ import annotations

import random

from bridge.ports.base import CONSOLE_BAUD
from bridge.rack import Rack


async def test_a_faster_line_is_proven_used_and_given_back(rack: Rack) -> None:
    sent, reached = random.Random(3).randbytes(1400), set()
    async with await rack.claim() as lease:
        for speeds in ((921_600, 460_800), (230_400,), ()):
            async with lease.open_board(speeds=speeds) as board:
                baud, *_ = await board.lua.uart.getconfig(0)
                # An adapter or a cable may not bear one; then it stays at the console's.
                assert baud in (*speeds, CONSOLE_BAUD)
                assert await board.lua.string.reverse(sent) == sent[::-1]
                reached.add(baud)
    assert CONSOLE_BAUD in reached and max(reached) > CONSOLE_BAUD
