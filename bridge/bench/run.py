"""A whole run: every row of a plan, on the clock it wants."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bridge.bench.host import measure_host
from bridge.bench.measure import Figures, host_figures, measure_row, upload_figures
from bridge.bench.plan import Plan, Row
from bridge.bench.tools import upload_by_agent, upload_by_tool
from bridge.virtual import clock


def run_plan(plan: Plan, tell: Callable[[str], None] = lambda text: None) -> list[Figures]:
    """Measure every row.

    What is said of the host and of other programs is measured on the wall clock, and is no part of what is the same
    on every run.

    Args:
        plan: what to measure.
        tell: called with a few words on what is measured next.

    Raises:
        BridgeError: the board or its network does not do what is asked.
    """
    runs = []
    for row in plan.rows:
        tell(str(row))
        work = measure_row(plan, row)
        runs.append(clock.run(work) if plan.virtual_clock else asyncio.run(work))
    if plan.host and plan.virtual:
        tell("the host's CPU time")
        host = asyncio.run(_host(plan))
        for run in runs:
            run["host"] = host
    if plan.against:
        for row, run in zip(plan.rows, runs, strict=True):
            asyncio.run(_against(plan, row, run, tell))
    return runs


async def _host(plan: Plan) -> Figures:
    plain = await measure_host(plan)
    rfc2217 = await measure_host(plan, rfc2217=True)
    paced = await measure_host(plan, paced=True)
    return {
        **host_figures(plain),
        "rfc2217_cpu_s_per_mb": round(max(rfc2217.to_board, rfc2217.to_host), 3),
        "paced_921600_cpu_s_per_mb": round(max(paced.to_board, paced.to_host), 3),
    }


async def _against(plan: Plan, row: Row, run: Figures, tell: Callable[[str], None]) -> None:
    data = plan.rng("file").randbytes(plan.amounts.upload)
    tell(f"{row}: upload by the agent, wall clock")
    seconds, whole = await upload_by_agent(plan, row, data)
    run["upload"] = {
        **upload_figures(row, len(data), seconds, "wall"),
        "whole_line_fraction": round(len(data) / whole / (row.baud / 10), 4),
        "flash_cost": not plan.virtual,
        "virtual_clock_line_fraction": run["upload"]["line_fraction"] if plan.virtual_clock else None,
    }
    run["against"] = {}
    for name in plan.against:
        tell(f"{row}: upload by {name}, wall clock")
        figures = await upload_by_tool(name, plan, row, data)
        run["against"][name] = {
            "upload_line_fraction": round(figures.rate / (row.baud / 10), 4),
            "transfer_line_fraction": round(figures.transfer_rate / (row.baud / 10), 4),
            "seconds": round(figures.seconds, 3),
            "start_seconds": round(figures.start_seconds, 3),
        }
