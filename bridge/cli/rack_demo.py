"""`nodemcu-bridge rack demo`: what is seen of it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from bridge.rack_demo import run_demo
from bridge.rack_report import verdict


def show_demo(folder: Path | None) -> int:
    """Run the demo and say what came of it.

    Args:
        folder: for what it writes; None for a new temporary one.

    Returns:
        The exit code: 0 if it went as it should.
    """
    result = run_demo(folder or Path(tempfile.mkdtemp(prefix="nodemcu-rack-demo-")), click.echo)
    click.echo(f"\n{verdict(result.report)}")
    for board in result.report.boards:
        for evidence in board.evidence:
            met = f" ({evidence.nodeid.rpartition('::')[2]})" if evidence.nodeid else ""
            click.echo(f"    {board.place}: {evidence.said}{met}")
    click.echo(f"\nThe page  {result.html}\nJUnit     {result.junit}\nJSON      {result.json}")
    for surprise in result.surprises:
        click.echo(f"nodemcu-bridge: {surprise}", err=True)
    return 1 if result.surprises else 0
