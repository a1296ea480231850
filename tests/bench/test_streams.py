from __future__ import annotations

from bridge.bench.plan import Row
from bridge.bench.rig import Rig
from bridge.bench.streams import LATE, StreamFigures, measure_streams
from bridge.board import Board
from tests.bench.opened_rig import LITTLE, little_plan, on_a_rig


def test_a_stream_moves_the_plans_volume_and_asks_its_questions() -> None:
    async def scenario(rig: Rig, board: Board) -> StreamFigures:
        return await measure_streams(rig, board, little_plan(), Row(115_200, 1.0))

    figures = on_a_rig(scenario)
    assert 0 < figures.to_board < 11_520 and 0 < figures.to_host < 11_520
    assert len(figures.answers) == LITTLE.questions and list(figures.answers) == sorted(figures.answers)
    # Question and answer cross the line, and wait for the tick at most.
    assert figures.answers[0] > 200 / 11_520 and figures.answers[-1] < 0.6


def test_a_peer_that_acknowledges_late_slows_what_leaves() -> None:
    async def scenario(rig: Rig, board: Board) -> tuple[StreamFigures, StreamFigures]:
        plan, row = little_plan(), Row(115_200, 1.0)
        return await measure_streams(rig, board, plan, row), await measure_streams(rig, board, plan, row, LATE)

    at_once, late = on_a_rig(scenario)
    assert late.to_board < at_once.to_board


def test_a_question_that_waited_for_the_tick_is_told_from_one_that_did_not() -> None:
    assert StreamFigures(1, 1, (0.03, 0.04, 0.2, 0.3)).ticks(11_520) == 0.5
