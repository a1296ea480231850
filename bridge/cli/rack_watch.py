"""`nodemcu-bridge rack watch`: a table that follows the rack, or a line for each change."""

from __future__ import annotations

import time

import click
from rich.console import Console
from rich.live import Live

from bridge.cli.rack_table import Row, headline, line, table
from bridge.rack.activity import activity_of
from bridge.rack.changes import Changes
from bridge.rack.rack import Rack
from bridge.rack.status import PlaceStatus


def watch_rack(rack: Rack, name: str, *, once: bool, every: float) -> None:
    """Show a rack until Ctrl-C.

    Args:
        rack: the rack.
        name: what it is called.
        once: show it once.
        every: seconds from one look to the next where changes cannot be seen.
    """
    console = Console()
    if once:
        rows, waits = look(rack)
        console.print(table(rows, headline(name, rows, waits), time.time(), width=console.width))
    elif console.is_terminal:
        _show(rack, name, console, every)
    else:
        _tell(rack, every)


def look(rack: Rack) -> tuple[list[Row], int]:
    """The rack at this moment.

    Returns:
        Its places, and how many wait for a board.
    """
    found = rack.status()
    return [_row(rack, place) for place in found.places], len(found.waiting)


def _row(rack: Rack, place: PlaceStatus) -> Row:
    failure = place.failures[-1].what if place.failures else None
    holder = place.holder
    if holder is None:
        return Row(place.name, place.state, place.port, failure=failure)
    activity = None if holder.pid is None else activity_of(rack.folder, rack.place(place.name), holder.pid)
    who = f"PID {holder.pid} {holder.user}: {holder.command}"
    if holder.pid is None:
        who = "somebody" if holder.user is None else f"{holder.host}/{holder.user}"
    if activity is None:
        return Row(place.name, place.state, place.port, who, holder.since, holder.purpose, failure=failure)
    return Row(
        place.name, place.state, place.port, who, holder.since, activity.doing, activity.since, activity.heap, failure
    )


#: Seconds between two looks for the durations that are shown, for what files do not tell, and where much happens.
_TICK_S, _ELSE_S, _AGAIN_S = 1.0, 60.0, 0.05


def _show(rack: Rack, name: str, console: Console, every: float) -> None:
    shown: object = None
    with Live(console=console, auto_refresh=False, screen=True) as live, Changes(rack.folders_of_changes()) as changes:
        while True:
            rows, waits = look(rack)
            now = time.time()
            # A line by ssh carries a whole screen for each: only when there is something new, or a second is over.
            fresh = (rows, waits, console.size, int(now) if any(row.since for row in rows) else None)
            if fresh != shown:
                shown = fresh
                made = table(rows, headline(name, rows, waits), now, width=console.width, room=console.height)
                live.update(made, refresh=True)
            # The size of a terminal is looked at, too.
            changes.wait(every, _TICK_S)
            time.sleep(_AGAIN_S)


def _tell(rack: Rack, every: float) -> None:
    told: dict[str, str] = {}
    with Changes(rack.folders_of_changes()) as changes:
        while True:
            rows, _ = look(rack)
            for row in rows:
                said = line(row, time.time())
                if told.get(row.place) != said:
                    told[row.place] = said
                    click.echo(f"{time.strftime('%H:%M:%S')} {said}")
            changes.wait(every, _ELSE_S)
            time.sleep(_AGAIN_S)
