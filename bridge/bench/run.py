"""A whole run: every row of a plan, on the clock it wants."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bridge.bench.measure import Figures, measure_row
from bridge.bench.plan import Plan, Row
from bridge.virtual import clock


def run_plan(plan: Plan, tell: Callable[[Row], None] = lambda row: None) -> list[Figures]:
    """Measure every row.

    Args:
        plan: what to measure.
        tell: called with each row before it is measured.

    Raises:
        BridgeError: the board or its network does not do what is asked.
    """
    runs = []
    for row in plan.rows:
        tell(row)
        work = measure_row(plan, row)
        runs.append(clock.run(work) if plan.virtual_clock else asyncio.run(work))
    return runs
