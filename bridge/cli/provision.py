"""`nodemcu-bridge provision`."""

from __future__ import annotations

import os
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from bridge import ending
from bridge.cli.json_output import json_output, json_text, print_json
from bridge.errors import UsageError
from bridge.files import host
from bridge.provision import BoardReport, ShelfReport, load_shelf, provision_shelf
from bridge.provision.plan import BoardPlan
from bridge.provision.record import Records


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--only", metavar="NAME", multiple=True, help="Only this board of the file; may be given again.")
@click.option("--verify", is_flag=True, help="Compare the flash itself, whatever the boards tell and is known of them.")
@click.option("--report", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="Write what was done to this file, as JSON.")  # fmt: skip
@click.option("--logs", metavar="FOLDER", type=click.Path(path_type=Path, file_okay=False),
              help="Keep esptool's output and a trace of each board in this folder.")  # fmt: skip
@json_output(ShelfReport)
def provision(
    file: Path, only: tuple[str, ...], verify: bool, report: Path | None, logs: Path | None, as_json: bool
) -> int:
    """Make boards ready as FILE says: firmware, Wi-Fi, files, startup script, checks; all boards at once.

    A second run changes nothing. A run that was cut off, wherever that was, is finished by running it again.
    """
    records = Records()
    plans = load_shelf(file, records.key(), only)
    _check_writable(report, logs)
    with _Lines(plans) as lines:
        done = ending.run(provision_shelf(file, plans, records, verify=verify, logs=logs, told=lines.tell))
    if report is not None:
        _write(report, json_text(done) + "\n")
    if as_json:
        print_json(done)
    else:
        for board in done.boards:
            click.echo(f"{board.name}: {_summary(board)}")
        count = sum(board.ready for board in done.boards)
        click.echo(f"{count} of {len(done.boards)} boards are ready, after {done.seconds:.1f} s.")
    return 0 if done.ready else 1


def _summary(board: BoardReport) -> str:
    identity = board.identity
    who = ", ".join(filter(None, (identity.mac, board.port, identity.ip)))
    what = f"wrote {', '.join(board.changed)}" if board.changed else "nothing to do"
    if board.error is not None:
        wrote = f" ({what})" if board.changed else ""
        return f"NOT ready: {board.error}{wrote}"
    lost = "; files that were on it are gone" if board.files_lost else ""
    return f"ready ({who}): {what}{lost}"


def _check_writable(report: Path | None, logs: Path | None) -> None:
    try:
        if logs is not None:
            logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be written ({error.strerror})", remedy="Check its name.") from error
    if report is not None and not _is_stream(report):
        host.check_writable(report)


def _is_stream(path: Path) -> bool:
    """True for a pipe or a device, which is written to as it is."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def _write(path: Path, text: str) -> None:
    if not _is_stream(path):
        # Whole, so that nobody reads half a report; and a new one is for its owner, whatever the umask says.
        before = os.umask(0o077)
        try:
            host.write_file(path, text.encode())
        finally:
            os.umask(before)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror})") from error


class _Lines:
    """A line for each board on standard error: a bar on a terminal, else a line for each new stage."""

    def __init__(self, plans: list[BoardPlan]) -> None:
        console = Console(stderr=True)
        width = max(len(plan.name) for plan in plans)
        self._live = console.is_terminal
        self._bars = Progress(
            TextColumn(f"{{task.fields[board]:{width}}}", markup=False), BarColumn(bar_width=20), TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False), console=console,
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {
            plan.name: self._bars.add_task("waiting", total=1.0, board=plan.name) for plan in plans
        }
        self._stages: dict[str, str] = {}

    def __enter__(self) -> _Lines:
        if self._live:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._bars.stop()

    def tell(self, name: str, stage: str, fraction: float | None) -> None:
        """A board is at something."""
        if self._live:
            self._bars.update(self._tasks[name], description=stage, completed=fraction or 0.0)
        elif self._stages.get(name) != stage:
            self._stages[name] = stage
            click.echo(f"{name}: {stage}", err=True)
