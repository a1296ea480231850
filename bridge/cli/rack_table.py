"""A rack as a table for people: its places, who holds them, what is done there."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.table import Table
from rich.text import Text

from bridge.rack_report.verdict import duration
from bridge.rack_report.visible import visible

State = Literal["free", "held", "quarantined", "absent", "own"]
_STYLES: dict[State, str] = {
    "free": "green",
    "held": "cyan",
    "quarantined": "bold magenta",
    "absent": "yellow",
    "own": "green",
}


@dataclass(frozen=True)
class Row:
    """A place at a moment. Times are seconds since the epoch; what nobody knows is None.

    Attributes:
        place: its name.
        state: of it.
        port: where it is.
        holder: who has it, in a few words.
        since: since when.
        doing: what is done on its board, such as the name of a test.
        doing_since: since when.
        heap: free bytes of its board.
        failure: what went wrong there last, a sentence.
    """

    place: str
    state: State
    port: str
    holder: str | None = None
    since: float | None = None
    doing: str | None = None
    doing_since: float | None = None
    heap: int | None = None
    failure: str | None = None


def headline(name: str, rows: Sequence[Row], waiting: int) -> str:
    """A rack in a line.

    Args:
        name: of the rack.
        rows: its places.
        waiting: how many wait for a board.
    """
    counts = Counter(row.state for row in rows)
    parts = [f"{counts[state]} {state}" for state in _STYLES if counts[state]]
    waits = [f"{waiting} waiting"] if waiting else []
    return f"{visible(name)}: {len(rows)} place{'s' * (len(rows) != 1)}, {', '.join(parts + waits)}"


def table(rows: Sequence[Row], title: str, now: float, *, width: int = 120, room: int | None = None) -> Table:
    """The table.

    Args:
        rows: the places.
        title: above it.
        now: seconds since the epoch.
        width: of the terminal; a narrow one shows fewer columns.
        room: lines that there are for it; None if there is no end. What has no room is counted.
    """
    heading = Text(title, no_wrap=True, overflow="ellipsis")
    made = Table(title=heading, title_justify="left", title_style="bold", expand=True, box=None, pad_edge=False)
    columns = [column for column in _COLUMNS if width >= column.from_width]
    for column in columns:
        made.add_column(
            column.name, no_wrap=True, overflow="ellipsis", justify=column.justify, ratio=column.ratio,
            min_width=max((len(row.place) for row in rows), default=5) if column.name == "place" else None,
        )  # fmt: skip
    # A title, the columns' names, and the line that counts the rest.
    shown = rows if room is None or len(rows) + 2 <= room else rows[: max(room - 3, 1)]
    for row in shown:
        made.add_row(*(column.cell(row, now) for column in columns))
    if len(shown) < len(rows):
        made.add_row(Text(f"and {len(rows) - len(shown)} more", style="dim"))
    return made


def line(row: Row, now: float) -> str:
    """A place in a line, for those who read no table."""
    parts = [f"{row.place} {row.state}"]
    if row.holder is not None:
        since = "" if row.since is None else f" since {time.strftime('%H:%M:%S', time.localtime(row.since))}"
        parts.append(f"held by {row.holder}{since}")
    if row.doing is not None:
        parts.append(row.doing)
    if row.heap is not None:
        parts.append(f"{row.heap} bytes free")
    if row.failure is not None and row.state in ("quarantined", "absent"):
        parts.append(row.failure)
    return visible(", ".join(parts)).replace("\n", " ")


def _doing(row: Row, now: float) -> Text:
    if row.doing is None:
        return Text("")
    file, colons, test = row.doing.rpartition("::")
    ago = _ago(row.doing_since, now)
    # The name of the test is what tells, and its end is what is cut.
    return Text(_plain(test if colons else row.doing)) + Text(f" {ago}" if ago else "", style="dim")


def _ago(since: float | None, now: float) -> str:
    if since is None:
        return ""
    seconds = max(0.0, now - since)
    # Whole seconds: what changes with every look draws the eye for nothing.
    return f"{seconds:.0f} s" if seconds < 60 else duration(seconds)


def _plain(words: str | None) -> str:
    return "" if words is None else visible(words).replace("\n", " ").replace("\t", " ")


def _text(words: str | None, style: str = "") -> Text:
    return Text(_plain(words), style=style)


def _heap(row: Row, now: float) -> Text:
    return Text("" if row.heap is None else f"{row.heap:,}".replace(",", " "))


def _failure(row: Row, now: float) -> Text:
    return _text(row.failure, "magenta" if row.state == "quarantined" else "dim")


@dataclass(frozen=True)
class _Column:
    name: str
    cell: Callable[[Row, float], Text]
    #: Columns of the terminal from which on it is shown.
    from_width: int = 0
    ratio: int | None = None
    justify: Literal["left", "right"] = "left"


_COLUMNS = (
    _Column("place", lambda row, now: _text(row.place)),
    _Column("state", lambda row, now: _text(row.state, _STYLES[row.state])),
    _Column("held by", lambda row, now: _text(row.holder), 80, 4),
    _Column("for", lambda row, now: _text(_ago(row.since, now)), 60, None, "right"),
    _Column("doing", _doing, 0, 6),
    _Column("heap", _heap, 60, None, "right"),
    _Column("last failure", _failure, 100, 5),
)
