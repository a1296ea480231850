from __future__ import annotations

import asyncio

import pytest

from bridge.bench.heap import HeapFigures, measure_heap
from bridge.bench.plan import Row
from bridge.bench.rig import rig_for
from bridge.errors import BridgeError
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.pty import Pty
from tests.bench.opened_rig import ROW, little_plan


def measured(url: str = "virtual:", row: Row = ROW) -> HeapFigures:
    plan = little_plan(url)

    async def main() -> HeapFigures:
        async with rig_for(plan, row) as rig:
            return await measure_heap(rig, plan, row)

    return clock.run(main())


def test_what_is_free_at_the_fresh_prompt_is_what_the_board_was_made_with() -> None:
    figures = measured()
    assert abs(figures.fresh - VirtualOptions().heap) < 100
    assert figures.bootstrap_peak is not None
    assert figures.agent < figures.bootstrap_peak < figures.fresh
    assert 80 < figures.socket < figures.net


def test_a_smaller_heap_shows_and_changes_nothing_else() -> None:
    usual, small = measured(), measured("virtual:?heap=40000")
    assert usual.fresh - small.fresh == 4_600
    assert (usual.net, usual.socket) == (small.net, small.socket)


def test_the_speed_of_the_line_is_none_of_the_heaps_business() -> None:
    assert abs(measured(row=Row(921_600, 1.0)).agent - measured().agent) < 200


def test_a_board_at_a_port_tells_what_it_can() -> None:
    async def main() -> HeapFigures:
        async with VirtualBoard(VirtualOptions(boot_text="clear")) as virtual:
            await virtual.answered()
            pty = Pty(virtual)
            plan = little_plan(pty.path)
            async with rig_for(plan, Row(115_200, None)) as rig:
                figures = await measure_heap(rig, plan, Row(115_200, None))
            pty.close()
            return figures

    figures = asyncio.run(main())
    assert figures.bootstrap_peak is None
    assert 0 < figures.socket < figures.net < figures.fresh


def test_too_little_heap_is_the_boards_own_error() -> None:
    with pytest.raises(BridgeError):
        measured("virtual:?heap=12000")


@pytest.mark.parametrize(
    "query", ["lua=5.1", "lua=5.1&number=integer", "lua=5.3", "modules=file,net,node,tmr,uart,wifi"]
)
def test_the_agent_leaves_room_for_a_handshake(query: str) -> None:
    # A TLS handshake needs 30 of the 44 KB that are free: 8 for the agent, and 16 at the worst moment before it runs.
    # Where the firmware has no `ow` the agent computes checks itself, for some bytes more.
    figures = measured(url=f"virtual:?{query}")
    assert figures.agent <= 8 * 1024 + (0 if "modules" not in query else 256)
    assert figures.bootstrap_peak is not None and figures.bootstrap_peak <= 16 * 1024
