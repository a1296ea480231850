"""All boards at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bridge.ports.base import PortInfo
from bridge.provision.board_run import USUAL, BoardRun, Waits
from bridge.provision.claims import Claims
from bridge.provision.plan import BoardPlan
from bridge.provision.record import Records
from bridge.provision.report import BoardReport, ShelfReport

#: Told of each board: its name, what it is at, and a share of that or None.
ShelfTold = Callable[[str, str, float | None], None]


async def provision_shelf(
    file: Path,
    plans: Sequence[BoardPlan],
    records: Records,
    *,
    verify: bool = False,
    logs: Path | None = None,
    told: ShelfTold = lambda name, stage, fraction: None,
    ports: Callable[[], Sequence[PortInfo]] | None = None,
    waits: Waits = USUAL,
) -> ShelfReport:
    """Make all boards of a file ready, at once; one that fails holds up no other.

    Args:
        file: where the plans come from, for the report.
        plans: from `bridge.provision.load.load_shelf`.
        records: what is known of boards.
        verify: compare the flash itself, whatever is known.
        logs: folder for esptool's output and traces of each board.
        told: of what each board is at.
        ports: lists the adapters there are; by default those of this computer.
        waits: for boards that say nothing.
    """
    began = time.monotonic()
    claims = Claims(plans, ports)

    def one(plan: BoardPlan) -> asyncio.Task[BoardReport]:
        def tell(stage: str, fraction: float | None) -> None:
            told(plan.name, stage, fraction)

        board = BoardRun(plan, records, verify=verify, logs=logs, told=tell, claims=claims, waits=waits)
        return asyncio.create_task(board.run())

    tasks = [one(plan) for plan in plans]
    try:
        reports = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return ShelfReport(
        file=str(file),
        ready=all(report.ready for report in reports),
        seconds=round(time.monotonic() - began, 3),
        boards=reports,
    )
