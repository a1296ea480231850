"""A board to measure on, opened, on the virtual clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bridge.bench.plan import Amounts, Plan, Row
from bridge.bench.rig import Rig, rig_for
from bridge.bench.speed import opened_at
from bridge.board import Board
from bridge.virtual import clock

T = TypeVar("T")

#: As little of everything as says something.
LITTLE = Amounts(
    bytes_at_115200=6_000, round_trips=4, wire_samples=2, pipelined=20, upload=4_000, questions=4, host_bytes=20_000
)
ROW = Row(115_200, 1.0)


def little_plan(url: str = "virtual:", *rows: Row, seed: int = 1, host: bool = False) -> Plan:
    return Plan(url, rows or (ROW,), seed=seed, amounts=LITTLE, host=host)


def on_a_rig(scenario: Callable[[Rig, Board], Awaitable[T]], plan: Plan | None = None, row: Row = ROW) -> T:
    """Run a scenario with a board that is opened at a row's speed."""
    chosen = plan or little_plan()

    async def main() -> T:
        async with rig_for(chosen, row) as rig, opened_at(rig.port, row.baud, chosen.rng("epoch")) as board:
            return await scenario(rig, board)

    return clock.run(main())
