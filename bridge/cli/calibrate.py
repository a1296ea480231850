"""`nodemcu-bridge calibrate`."""

from __future__ import annotations

import dataclasses

import click

from bridge import ending
from bridge.cli.json_output import Output, json_output, print_json
from bridge.virtual import clock
from bridge.virtual.calibration.measure import BUILDS, Row, measure, worst
from bridge.virtual.cost import load_costs

_WIDTH = 46


class CostFigures(Output):
    """Costs of a board's work at 80 MHz; units by the names."""

    instruction_us: float
    c_call_us: float
    byte_us: float
    collection_us: float
    live_object_us: float
    page_program_ms: float
    sector_erase_ms: float
    source: str


class CalibrateRow(Output):
    """A recorded figure, the model's, and how far they may be apart, in `unit`."""

    build: str
    name: str
    unit: str
    recorded: int
    model: int
    allowed: int
    error: int
    good: bool


class CalibrateOutput(Output):
    """Recorded figures beside those of the model."""

    costs: CostFigures
    rows: list[CalibrateRow]


@click.command()
@click.option("--build", "builds", multiple=True, type=click.Choice(list(BUILDS)), help="Only this build; repeatable.")
@click.option("--calibration", type=click.Path(), help="Show the costs of this file in place of the estimates.")
@json_output(CalibrateOutput)
def calibrate(builds: tuple[str, ...], calibration: str | None, as_json: bool) -> int:
    """Run the recorded measurements of heap and CPU on a virtual board and show what was recorded beside them.

    Exit code 1 means that a row is off by more than its allowance.
    """
    costs = load_costs(calibration)
    rows = [row for build in builds or BUILDS for row in ending.run(measure(build), clock.run)]
    if as_json:
        described = [CalibrateRow(**dataclasses.asdict(row), error=row.error, good=row.good) for row in rows]
        print_json(CalibrateOutput(costs=CostFigures(**dataclasses.asdict(costs)), rows=described))
    else:
        _show(rows)
        click.echo("\nCosts at 80 MHz: " + ", ".join(f"{k} {v}" for k, v in dataclasses.asdict(costs).items()))
    return 1 if any(worst(rows)) else 0


def _show(rows: list[Row]) -> None:
    build = ""
    for row in rows:
        if row.build != build:
            build = row.build
            click.echo(f"\n{build:<{_WIDTH}} {'unit':<12} recorded    model    error  allowed")
        name = row.name if len(row.name) <= _WIDTH else row.name[: _WIDTH - 1] + "…"
        percent = "" if row.percent is None else f"{row.percent:+.1f} %"
        mark = "" if row.good else "  <- off"
        click.echo(
            f"{name:<{_WIDTH}} {row.unit:<12} {row.recorded:>8} {row.model:>8} {row.error:>+8} {row.allowed:>8} "
            f"{percent:>10}{mark}"
        )
