"""`nodemcu-bridge rack demo`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from bridge.rack_demo import run_demo
from bridge.rack_report import verdict


@click.command()
@click.option("--to", "folder", metavar="FOLDER", type=click.Path(path_type=Path, file_okay=False),
              help="Where the page, the JUnit file and the rest go; by default a new temporary folder.")  # fmt: skip
def demo(folder: Path | None) -> int:
    """A rack without hardware: 60 tests on four virtual boards at once, two of which fail in the middle.

    One board hangs and one restarts. The run ends by itself, the tests that were hit run again on another board, and
    the sick boards are named. Two tests are wrong on purpose. It takes about a minute. Exit code 1: it went otherwise.
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
