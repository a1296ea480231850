"""One row: everything that is measured on one line, as the JSON has it."""

from __future__ import annotations

import asyncio
import statistics
from typing import Any

from bridge.bench.calls import CallFigures, measure_calls
from bridge.bench.goodput import Goodput, measure_goodput
from bridge.bench.heap import HeapFigures, measure_heap
from bridge.bench.host import HostFigures, cpu_per_megabyte
from bridge.bench.plan import Plan, Row
from bridge.bench.rig import rig_for
from bridge.bench.speed import opened_at
from bridge.bench.strain import forget_strain, strain_of
from bridge.bench.streams import LATE, StreamFigures, measure_streams
from bridge.bench.upload import measure_upload
from bridge.files import Written

#: A result as JSON has it.
Figures = dict[str, Any]


async def measure_row(plan: Plan, row: Row) -> Figures:
    """Measure one row; call it on the clock that the plan wants.

    Two boards are made on `virtual:` (on a port the board is opened twice): one for what the heap says, because
    looking at it closely changes when the board collects, and one for everything else.

    Raises:
        BridgeError: the board or its network does not do what is asked.
    """
    async with rig_for(plan, row) as rig:
        heap = await measure_heap(rig, plan, row)
    async with rig_for(plan, row, trace=plan.trace_of(row)) as rig:
        forget_strain(rig.virtual)
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with opened_at(rig.port, row.baud, plan.rng("epoch")) as board:
            await board.lua.node.heap()
            open_seconds = loop.time() - began
            strain = {"open": strain_of(rig.virtual)}
            forget_strain(rig.virtual)
            calls = await measure_calls(rig, board, plan.amounts)
            goodput = await measure_goodput(board, plan, row)
            strain["work"] = strain_of(rig.virtual)
            forget_strain(rig.virtual)
            data = plan.rng("file").randbytes(plan.amounts.upload)
            written = await measure_upload(board, data)
            strain["upload"] = strain_of(rig.virtual)
            # A real network's host delays its acknowledgements as it likes.
            late = await measure_streams(rig, board, plan, row, LATE) if plan.virtual_clock else None
            streams = await measure_streams(rig, board, plan, row)
            # A virtual board of this process would be counted, too; for it this is measured apart.
            host = None if plan.virtual or not plan.host else await cpu_per_megabyte(board, plan)
    line = row.baud / 10
    return {
        "baud": row.baud,
        "adapter_latency_ms": row.latency_ms,
        "port": plan.url,
        "seed": plan.seed,
        "cpu": plan.cpu,
        **_goodput(goodput, line),
        "stream": {**_stream(streams, line), "late_acknowledgements": None if late is None else _stream(late, line)},
        "call": _calls(calls),
        "agent": _heap(heap),
        "open_to_first_call_s": round(open_seconds, 4),
        "upload": {
            **upload_figures(row, written, "virtual" if plan.virtual_clock else "wall"),
            "flash_cost": True,
        },
        **({} if host is None else {"host": host_figures(host)}),
        **({} if None in strain.values() else {"board": strain}),
    }


def upload_figures(row: Row, written: Written, clock: str) -> Figures:
    """An upload, timed by the clock "wall" or "virtual": writing the file, and all that `fs put` does for it."""
    return {
        "line_fraction": _fraction(written.size / written.write_seconds, row.baud / 10),
        "put_line_fraction": _fraction(written.size / written.seconds, row.baud / 10),
        "bytes": written.size,
        "seconds": round(written.write_seconds, 3),
        "put_seconds": round(written.seconds, 3),
        "digest": written.digest,
        "clock": clock,
    }


def host_figures(host: HostFigures) -> Figures:
    """What the bridge takes of the host's CPU."""
    return {
        "cpu_s_per_mb": round(max(host.to_board, host.to_host), 3),
        "to_board_cpu_s_per_mb": round(host.to_board, 3),
        "to_host_cpu_s_per_mb": round(host.to_host, 3),
    }


def _goodput(goodput: Goodput, line: float) -> Figures:
    down, up = (_fraction(rate, line) for rate in goodput.both)
    streams = [_fraction(rate, line) for rate in goodput.two_streams]
    return {
        "host_to_board": _direction(goodput.to_board, line),
        "board_to_host": _direction(goodput.to_host, line),
        "both": {
            "line_fraction": min(down, up),
            "host_to_board_line_fraction": down,
            "board_to_host_line_fraction": up,
            "two_streams": {"host_to_board_line_fraction": streams[0], "board_to_host_line_fraction": streams[1]},
        },
    }


def _stream(figures: StreamFigures, line: float) -> Figures:
    def quantile(part: float) -> float:
        return round(figures.answers[int(part * (len(figures.answers) - 1))] * 1000, 1)

    return {
        "host_to_board": _direction(figures.to_board, line),
        "board_to_host": _direction(figures.to_host, line),
        "answer_ms_p50": quantile(0.5),
        "answer_ms_p99": quantile(0.99),
        "ticks_paid": round(figures.ticks(line), 3),
    }


def _direction(rate: float, line: float) -> Figures:
    return {"line_fraction": _fraction(rate, line), "bytes_per_s": round(rate, 1)}


def _fraction(rate: float, line: float) -> float:
    return round(rate / line, 4)


def _calls(calls: CallFigures) -> Figures:
    heap_ms, send_ms = _p50(calls.heap_seconds), _p50(calls.send_seconds)
    return {
        "round_trip_ms_p50": max(heap_ms, send_ms),
        "round_trip_heap_ms_p50": heap_ms,
        "round_trip_send_ms_p50": send_ms,
        "per_s": round(min(calls.heap_per_second, calls.send_per_second), 1),
        "heap_per_s": round(calls.heap_per_second, 1),
        "send_per_s": round(calls.send_per_second, 1),
        "pipelined_per_s": round(min(calls.pipelined_heap_per_second, calls.pipelined_send_per_second), 1),
        "pipelined_heap_per_s": round(calls.pipelined_heap_per_second, 1),
        "pipelined_send_per_s": round(calls.pipelined_send_per_second, 1),
        "pipelined_heap_wire_bytes": round(calls.pipelined_heap_wire_bytes, 1),
        "wire_bytes": calls.wire_bytes,
        "wire_samples": calls.wire_samples,
    }


def _p50(seconds: tuple[float, ...]) -> float:
    return round(statistics.median(seconds) * 1000, 3)


def _heap(heap: HeapFigures) -> Figures:
    return {
        "heap_bytes": heap.agent,
        "bootstrap_peak_bytes": heap.bootstrap_peak,
        "net_heap_bytes": heap.net,
        "socket_heap_bytes": heap.socket,
        "fresh_heap_bytes": heap.fresh,
    }
