"""`nodemcu-bridge bench`."""

from __future__ import annotations

import os
from pathlib import Path

import click
from rich.console import Console

from bridge.bench.plan import QUICK, Amounts, Plan, choose_rows
from bridge.bench.run import run_plan
from bridge.bench.table import show
from bridge.bench.tools import parse_tools
from bridge.cli.bench_output import BenchOutput
from bridge.cli.json_output import json_output, print_json
from bridge.cli.options import trace_option
from bridge.trace.file import create


@click.command()
@click.option("--port", "url", metavar="URL", default="virtual:", show_default=True, help="The port to measure on.")
@click.option("--baud", metavar="LIST", help="Speeds of the link, separated by commas.")
@click.option("--latency", metavar="LIST", help="Latency timers of a virtual board's adapter in ms.")
@click.option("--rows", metavar="LIST", help="Both in pairs, such as 115200/1,921600/16. Default on virtual: 115200/1,115200/16,921600/1.")  # fmt: skip  # noqa: E501
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of everything random.")
@click.option("--cpu", type=click.FloatRange(min=0), default=1.0, show_default=True, metavar="FACTOR",
              help="Factor on every CPU cost of a virtual board.")  # fmt: skip
@click.option("--quick", is_flag=True, help="Measure less of everything.")
@click.option("--against", metavar="LIST", help="Upload the file also by nodemcu-uploader,nodemcu-tool (wall clock).")
@click.option("--host/--no-host", default=True, help="Measure the host's CPU time (wall clock).")
@trace_option
@json_output(BenchOutput)
def bench(
    url: str,
    baud: str | None,
    latency: str | None,
    rows: str | None,
    seed: int,
    cpu: float,
    quick: bool,
    against: str | None,
    host: bool,
    trace: Path | None,
    as_json: bool,
) -> None:
    """Measure what the link carries: payload, small calls, an upload, and the board's heap.

    On virtual: this runs on the virtual clock, with the line paced and the CPU's costs on.
    """
    plan = Plan(
        url,
        choose_rows(url, rows=rows, baud=baud, latency=latency),
        seed=seed,
        cpu=cpu,
        amounts=QUICK if quick else Amounts(),
        against=() if against is None else parse_tools(against),
        host=host,
        trace=trace,
    )
    if trace is not None:
        # Wrong use is said before anything is measured.
        for row in plan.rows:
            os.close(create(plan.trace_of(row) or trace))
    click.echo(f"seed {seed}", err=True)
    runs = run_plan(plan, lambda text: click.echo(f"measuring {text}", err=True))
    if as_json:
        print_json(BenchOutput.model_validate(runs))
    else:
        show(runs, Console())
