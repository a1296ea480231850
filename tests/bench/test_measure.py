from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from typing import Any

from bridge import trace
from bridge.bench.measure import measure_row
from bridge.bench.plan import Row
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.pty import Pty
from tests.bench.opened_rig import ROW, little_plan


def at(figures: dict[str, Any], path: str) -> Any:
    value: Any = figures
    for key in path.split("."):
        value = value[key]
    return value


#: Every key that a row has on the virtual clock, but for the host's own.
KEYS = (
    "host_to_board.line_fraction",
    "board_to_host.line_fraction",
    "both.line_fraction",
    "both.host_to_board_line_fraction",
    "both.board_to_host_line_fraction",
    "stream.host_to_board.line_fraction",
    "stream.board_to_host.line_fraction",
    "stream.answer_ms_p50",
    "stream.answer_ms_p99",
    "stream.ticks_paid",
    "stream.late_acknowledgements.host_to_board.line_fraction",
    "call.round_trip_ms_p50",
    "call.wire_bytes",
    "call.pipelined_per_s",
    "call.pipelined_heap_per_s",
    "call.pipelined_send_per_s",
    "call.per_s",
    "agent.heap_bytes",
    "agent.bootstrap_peak_bytes",
    "agent.net_heap_bytes",
    "agent.socket_heap_bytes",
    "open_to_first_call_s",
    "upload.line_fraction",
)


def test_a_trace_has_what_went_over_the_line_and_changes_no_rate(tmp_path: Path) -> None:
    plan = little_plan()
    traced = dataclasses.replace(plan, trace=tmp_path / "bench.trace")
    plain, figures = (clock.run(measure_row(each, ROW)) for each in (plan, traced))
    for key in ("host_to_board", "board_to_host", "both", "call", "upload", "open_to_first_call_s"):
        assert figures[key] == plain[key], key
    played = trace.replay(tmp_path / "bench.trace")
    moved = sum(len(str(message)) for message in played.sent)
    assert len(played.sessions) == 1 and played.damaged == 0 and moved > plan.amounts.bytes_at_115200


def test_a_row_has_every_figure_the_same_on_two_runs() -> None:
    plan = little_plan("virtual:", Row(921_600, 1.0))
    first, second = (clock.run(measure_row(plan, plan.rows[0])) for _ in range(2))
    # Tables of the board's Lua that have sockets for keys lie in memory as they like, which takes it microseconds.
    plain = [{key: value for key, value in run.items() if key != "stream"} for run in (first, second)]
    assert plain[0] == plain[1]
    for way in ("host_to_board", "board_to_host"):
        assert abs(at(first, f"stream.{way}.bytes_per_s") / at(second, f"stream.{way}.bytes_per_s") - 1) < 0.02
    for key in KEYS:
        assert isinstance(at(first, key), int | float) and at(first, key) > 0, key
    assert (first["baud"], first["adapter_latency_ms"], first["seed"]) == (921_600, 1.0, 1)
    both = first["both"]
    assert both["line_fraction"] == min(both["host_to_board_line_fraction"], both["board_to_host_line_fraction"])
    call = first["call"]
    assert call["pipelined_per_s"] == min(call["pipelined_heap_per_s"], call["pipelined_send_per_s"])
    assert call["round_trip_ms_p50"] == max(call["round_trip_heap_ms_p50"], call["round_trip_send_ms_p50"])
    for share in ("host_to_board", "board_to_host", "both", "upload"):
        assert first[share]["line_fraction"] < 1
    assert first["upload"]["clock"] == "virtual"


def test_a_slower_chip_answers_later() -> None:
    usual = clock.run(measure_row(little_plan(), ROW))
    slow = clock.run(measure_row(little_plan("virtual:?cpu=10"), ROW))
    assert slow["call"]["round_trip_ms_p50"] > usual["call"]["round_trip_ms_p50"]
    assert slow["open_to_first_call_s"] > usual["open_to_first_call_s"]
    assert slow["agent"]["heap_bytes"] == usual["agent"]["heap_bytes"]


def test_a_board_at_a_port_has_the_same_figures_but_for_what_it_cannot_tell() -> None:
    async def main() -> dict[str, Any]:
        async with VirtualBoard(VirtualOptions(boot_text="clear")) as virtual:
            await virtual.answered()
            pty = Pty(virtual)
            try:
                return await measure_row(little_plan(pty.path, host=True), Row(230_400, None))
            finally:
                pty.close()

    run = asyncio.run(main())
    for key in (*KEYS, "host.cpu_s_per_mb"):
        if key == "agent.bootstrap_peak_bytes":
            assert at(run, key) is None
        elif key.startswith("stream.late_acknowledgements"):
            assert run["stream"]["late_acknowledgements"] is None
        else:
            assert at(run, key) > 0, key
    assert (run["baud"], run["adapter_latency_ms"], run["upload"]["clock"]) == (230_400, None, "wall")
