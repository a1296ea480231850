"""`nodemcu-bridge rack watch`."""

from __future__ import annotations

import time
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live

from bridge.cli.options import SECONDS
from bridge.cli.rack_table import Row, headline, line, table
from bridge.rack.activity import activity_of
from bridge.rack.board_lock import locked_by
from bridge.rack.load import load_rack
from bridge.rack.model import Place
from bridge.rack.rack import Rack, board_key
from bridge.rack.record import read_record
from bridge.rack.turns import waiting


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--once", is_flag=True, help="Print the table once.")
@click.option("--every", type=SECONDS, default=0.5, show_default=True, help="Seconds from one look to the next.")
def watch(file: Path, once: bool, every: float) -> None:
    """Show a rack as it is used: places, who holds which since when, what runs there, heap, the last failure.

    FILE is the rack file. It goes on until Ctrl-C. Where the output is no terminal it prints a line for each place, and
    one whenever something changes.
    """
    rack = Rack(load_rack(file))
    console = Console()
    if once:
        rows, waits = look(rack)
        console.print(table(rows, headline(file.name, rows, waits), time.time(), width=console.width))
    elif console.is_terminal:
        _show(rack, file.name, console, every)
    else:
        _tell(rack, every)


def look(rack: Rack) -> tuple[list[Row], int]:
    """The rack at this moment.

    Returns:
        Its places, and how many wait for a board.
    """
    return [_row(rack, place) for place in rack.places], len(waiting(str(rack.folder)))


def _row(rack: Rack, place: Place) -> Row:
    base = None if place.is_virtual else locked_by(str(rack.folder), board_key(place))
    if base is None:
        return Row(place.name, "free", place.where)
    record = read_record(base) or {}
    pid = record.get("pid")
    activity = activity_of(rack.folder, place, pid) if isinstance(pid, int) else None
    since = record.get("since")
    return Row(
        place.name, "held", place.where,
        f"{record.get('user', 'somebody')}: {record.get('command', 'a program')} (PID {pid})",
        float(since) if isinstance(since, int | float) else None,
        activity.doing if activity is not None else str(record.get("purpose") or "") or None,
        activity.since if activity is not None else None,
        activity.heap if activity is not None else None,
    )  # fmt: skip


def _show(rack: Rack, name: str, console: Console, every: float) -> None:
    with Live(console=console, auto_refresh=False, screen=True) as live:
        while True:
            rows, waits = look(rack)
            live.update(
                table(
                    rows, headline(name, rows, waits), time.time(), width=console.width, room=console.height
                ),
                refresh=True,
            )  # fmt: skip
            time.sleep(every)


def _tell(rack: Rack, every: float) -> None:
    told: dict[str, str] = {}
    while True:
        rows, _ = look(rack)
        for row in rows:
            said = line(row, time.time())
            if told.get(row.place) != said:
                told[row.place] = said
                click.echo(f"{time.strftime('%H:%M:%S')} {said}")
        time.sleep(every)
