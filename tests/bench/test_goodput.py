from __future__ import annotations

import asyncio

import pytest

from bridge.bench import goodput
from bridge.bench.goodput import TO_BOARD, TO_HOST, Goodput, Stream, measure_goodput, pieces, run_streams
from bridge.bench.plan import Row
from bridge.bench.rig import Rig
from bridge.board import Board
from bridge.errors import LinkError
from bridge.virtual import clock
from tests.bench.opened_rig import little_plan, on_a_rig


def test_the_payload_has_every_byte_value_and_no_pattern() -> None:
    found = pieces(little_plan().rng("payload"), TO_BOARD)
    assert len({*b"".join(found)}) == 256
    assert len({*found}) == len(found) and {len(piece) for piece in found} == {TO_BOARD}


def test_no_more_than_a_line_carries_and_less_on_a_slower_one() -> None:
    plan = little_plan()

    async def scenario(rig: Rig, board: Board) -> tuple[Goodput, int, int]:
        written, received = rig.port.written, rig.port.received
        figures = await measure_goodput(board, plan, plan.rows[0])
        assert await board.eval("nb_give") is None and await board.eval("nb_drop") is None
        return figures, rig.port.written - written, rig.port.received - received

    fast, written, received = on_a_rig(scenario)
    for rate in (fast.to_board, fast.to_host, *fast.both, *fast.two_streams):
        assert 3_000 < rate < 11_520
    # Each direction moved its bytes alone, with the other's in one call, and beside the other's.
    assert written > 3 * plan.amounts.bytes_at_115200 < received
    slow, _, _ = on_a_rig(scenario, row=Row(57_600, 1.0))
    assert slow.to_board < 5_760 and slow.to_host < 5_760


def test_the_first_stream_to_be_done_goes_on_until_the_others_are() -> None:
    async def main() -> None:
        async def quick() -> int:
            await asyncio.sleep(1)
            return 100

        async def slow() -> int:
            await asyncio.sleep(4)
            return 100

        first, second = Stream(quick, 2, 400), Stream(slow, 1, 400)
        rates = await run_streams(first, second)
        assert rates == [200.0, 25.0]
        assert (first.finished, second.finished) == (2.0, 16.0)
        assert first.done >= 3000, "it kept the other company"

    clock.run(main())


def test_bytes_that_came_back_changed_are_no_goodput(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(goodput, "SETUP", "function nb_drop() end local s=... function nb_give() return s:sub(2) end")

    async def scenario(rig: Rig, board: Board) -> None:
        with pytest.raises(LinkError, match="not what it was given"):
            await measure_goodput(board, little_plan(), Row(115_200, 1.0))

    on_a_rig(scenario)
    assert TO_HOST < TO_BOARD
