"""A whole run: every row of a plan, on the clock it wants."""

from __future__ import annotations

from collections.abc import Callable

from bridge import ending
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
        runs.append(ending.run(work, clock.run if plan.virtual_clock else None))
    if plan.host and plan.virtual:
        tell("the host's CPU time")
        host = ending.run(_host(plan))
        for run in runs:
            run["host"] = host
    if plan.against:
        for row, run in zip(plan.rows, runs, strict=True):
            ending.run(_against(plan, row, run, tell))
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
    """The same file by the agent and by each program; on a virtual board once more with what its flash costs."""
    data = plan.rng("file").randbytes(plan.amounts.upload)
    virtual_clock = run["upload"]["line_fraction"] if plan.virtual_clock else None
    run["upload"], run["against"] = {}, {}
    for flash_cost in (False, True) if plan.virtual else (True,):
        how = "" if flash_cost else ", flash that takes no time"
        tell(f"{row}: upload by the agent, wall clock{how}")
        written, whole = await upload_by_agent(plan, row, data, flash_cost=flash_cost)
        figures = {
            **upload_figures(row, written, "wall"),
            "whole_line_fraction": _fraction(row, len(data) / whole),
            "flash_cost": flash_cost,
        }
        _put(run["upload"], figures)
        for name in plan.against:
            tell(f"{row}: upload by {name}, wall clock{how}")
            took = await upload_by_tool(name, plan, row, data, flash_cost=flash_cost)
            figures = {
                "upload_line_fraction": _fraction(row, took.rate),
                "transfer_line_fraction": _fraction(row, took.transfer_rate),
                "seconds": round(took.seconds, 3),
                "start_seconds": round(took.start_seconds, 3),
            }
            _put(run["against"].setdefault(name, {}), figures)
    run["upload"]["virtual_clock_line_fraction"] = virtual_clock


def _put(target: Figures, figures: Figures) -> None:
    """The first figures of an upload stand for themselves, those of the second one apart."""
    if target:
        target["with_flash_cost"] = figures
    else:
        target.update(figures)


def _fraction(row: Row, rate: float) -> float:
    return round(rate / (row.baud / 10), 4)
