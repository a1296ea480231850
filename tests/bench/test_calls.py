from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.bench import calls
from bridge.bench.calls import SMALL, CallFigures, measure_calls
from bridge.bench.plan import Row
from bridge.bench.rig import Rig
from bridge.board import Board
from bridge.errors import LinkTimeout
from tests.bench.opened_rig import LITTLE, little_plan, on_a_rig


def test_figures_are_of_so_many_calls_and_fit_each_other() -> None:
    async def scenario(rig: Rig, board: Board) -> CallFigures:
        return await measure_calls(rig, board, LITTLE)

    figures = on_a_rig(scenario)
    assert len(figures.heap_seconds) == len(figures.send_seconds) == LITTLE.round_trips
    assert figures.wire_samples == LITTLE.wire_samples
    # The data itself, and at least a header and a check on the call, the reply, and an acknowledgement.
    assert len(SMALL) + 15 < figures.wire_bytes < 60 and figures.wire_bytes == int(figures.wire_bytes)
    assert 4 < figures.pipelined_heap_wire_bytes < 60
    assert figures.pipelined_heap_per_second > 1.5 * figures.heap_per_second
    assert 1 / max(figures.heap_seconds) <= figures.heap_per_second <= 1 / min(figures.heap_seconds)
    # A call crosses the line and comes back: 39 bytes at 11 520 a second.
    assert min(*figures.heap_seconds, *figures.send_seconds) > 0.002


def test_a_small_send_takes_forty_bytes_of_the_wire_at_most() -> None:
    """A reply with a nil in it was six bytes longer, and a call of `send` a millisecond."""

    async def scenario(rig: Rig, board: Board) -> CallFigures:
        return await measure_calls(rig, board, replace(LITTLE, wire_samples=7))

    assert on_a_rig(scenario).wire_bytes <= 40


@pytest.mark.parametrize("latency_ms", [16.0, 17.0])
def test_samples_do_not_keep_step_with_the_timer_of_the_stack(latency_ms: float) -> None:
    """With the adapter's latency, a sample of a fixed length was four of its ticks: "sent" came too early in each."""
    amounts = replace(LITTLE, wire_samples=8, round_trips=1, pipelined=1)

    async def scenario(rig: Rig, board: Board) -> CallFigures:
        return await measure_calls(rig, board, amounts)

    figures = on_a_rig(scenario, little_plan(), Row(115_200, latency_ms))
    assert figures.wire_samples == amounts.wire_samples
    # 39, and in some samples a reply that the agent sends again, as its timer turned before the acknowledgement came.
    assert figures.wire_bytes < 60


def test_the_events_of_a_send_are_not_counted_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """With so long a wait that each "sent" falls into it, no sample is left."""
    monkeypatch.setattr(calls, "ACKNOWLEDGED_S", 1.0)

    async def scenario(rig: Rig, board: Board) -> None:
        with pytest.raises(LinkTimeout, match="told apart"):
            await measure_calls(rig, board, LITTLE)

    on_a_rig(scenario)


def test_a_peer_that_cannot_be_reached_is_named() -> None:
    async def scenario(rig: Rig, board: Board) -> None:
        assert rig.virtual is not None
        with pytest.raises(LinkTimeout, match=r"did not connect to this computer at 10\.99\.0\.1"):
            await calls._connected(board, 9, "10.99.0.1")

    on_a_rig(scenario)
