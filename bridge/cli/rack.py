"""`nodemcu-bridge rack`: boards that several programs share."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import click

from bridge import ending
from bridge.cli.json_output import Output, json_output, print_json
from bridge.cli.options import SECONDS, SECONDS_OR_NONE
from bridge.cli.rack_source import rack_source, rack_title
from bridge.errors import BridgeError, LeaseLost, NoPlace, PlaceFailed, UsageError, WrongBoard
from bridge.rack import health
from bridge.rack.lease import Lease
from bridge.rack.load import load_rack
from bridge.rack.model import Place
from bridge.rack.needs import Needs
from bridge.rack.rack import Rack
from bridge.rack.status import HolderStatus, PlaceStatus, RackStatus

#: Seconds for a program to end when its lease is lost.
_END_S = 5.0


class CheckedPlace(Output):
    """A place of a rack file."""

    name: str
    port: str
    """What the file says of its port, in words."""
    mac: str | None
    tags: list[str]


class RackCheck(Output):
    """What a rack file says."""

    file: str
    state: str
    """Folder of locks and records."""
    ttl_s: float
    places: list[CheckedPlace]


class Healed(Output):
    """A place whose failures count no more."""

    place: str
    was_quarantined: bool
    failures: int
    """That it had in a row."""


@click.group()
def rack() -> None:
    """Share boards between programs and users of this computer, or of several by labgrid."""


@rack.command()
@rack_source
@json_output(RackStatus)
def status(made: Rack, as_json: bool) -> None:
    """Say who holds which board since when, who waits, and which places are quarantined. Opens nothing."""
    found = made.status()
    if as_json:
        print_json(found)
        return
    width = max(len(place.name) for place in found.places)
    for place in found.places:
        click.echo(f"{place.name:{width}}  {place.state:11}  {place.port}  {_about(place)}".rstrip())
    for turn in found.waiting:
        what = f" for {turn.purpose}" if turn.purpose else ""
        # Somebody on another machine is known by host/user alone.
        who = turn.user if turn.pid is None else f"PID {turn.pid} ({turn.command}, {turn.user})"
        click.echo(f"waiting: {who}{what}: {turn.count} of {', '.join(turn.places)}")


def _about(place: PlaceStatus) -> str:
    parts = []
    if place.holder is not None:
        parts.append(_holder(place.holder))
    if place.failures:
        parts.append(
            f"{len(place.failures)} failures, the last at {_at(place.failures[-1].at)}: {place.failures[-1].what}"
        )
    return "; ".join(parts)


def _holder(holder: HolderStatus) -> str:
    if holder.pid is None and holder.user is None:
        return "by somebody who is not written down"
    if holder.pid is None:
        who = f"{holder.host}/{holder.user}"
    else:
        who = f"PID {holder.pid} ({', '.join(filter(None, (holder.command, holder.user)))})"
    what = f" for {holder.purpose}" if holder.purpose else ""
    silent = f", silent for {holder.heard_s:.0f} s" if holder.ttl_s and (holder.heard_s or 0) > holder.ttl_s else ""
    return f"{who}{what} for {holder.held_s or 0:.0f} s{silent}"


def _at(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


@rack.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_output(RackCheck)
def check(file: Path, as_json: bool) -> None:
    """Read FILE and say what is in it, or what is wrong with it. Opens nothing."""
    found = load_rack(file)
    made = Rack(found)
    if as_json:
        places = [CheckedPlace(name=each.name, port=each.where, mac=each.mac, tags=each.tags) for each in found.places]
        print_json(RackCheck(file=str(file), state=str(made.folder), ttl_s=found.ttl, places=places))
        return
    for place in found.places:
        click.echo(f"{place.name}: {_described(place)}")
    click.echo(f"{file} is right: {len(found.places)} places, locks in {made.folder}.")


def _described(place: Place) -> str:
    parts = [place.where]
    if place.mac is not None and place.where != f"MAC address {place.mac}":
        parts.append(f"MAC address {place.mac}")
    if place.tags:
        parts.append(f"tags {', '.join(place.tags)}")
    if place.capabilities.modules is not None:
        parts.append(f"modules {', '.join(place.capabilities.modules)}")
    return "; ".join(parts)


@rack.command()
@click.argument("place")
@rack_source
@json_output(Healed)
def heal(place: str, made: Rack, as_json: bool) -> None:
    """Give PLACE to programs again, after somebody has looked after it."""
    found = made.place(place)
    failures = health.failures(found, folder=made.folder)
    was = health.quarantined(found, folder=made.folder)
    health.heal(found, folder=made.folder)
    if as_json:
        print_json(Healed(place=place, was_quarantined=was is not None, failures=len(failures)))
    elif was is not None:
        click.echo(f"{place} was {was}. It is given to programs again.")
    else:
        click.echo(f"{place} was not quarantined; {len(failures)} failures are forgotten.")


@rack.command(context_settings={"ignore_unknown_options": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@rack_source
@click.option("--module", "modules", metavar="NAME", multiple=True, help="A module that the firmware must have.")
@click.option("--tag", "tags", metavar="WORD", multiple=True, help="A tag that the place must have.")
@click.option("--flash", type=click.IntRange(min=0), default=0, metavar="BYTES", help="Flash, at least.")
@click.option("--lua", metavar="VERSION", help="Version of Lua, such as 5.1.")
@click.option("--place", metavar="NAME", help="This very place.")
@click.option("--timeout", type=SECONDS_OR_NONE, default=None, help="Seconds to wait for a board. Default: for ever.")
@click.option("--purpose", metavar="WORDS", default="", help="What for; others who wait are told it.")
def claim(
    command: tuple[str, ...], made: Rack, modules: tuple[str, ...], tags: tuple[str, ...], flash: int,
    lua: str | None, place: str | None, timeout: float | None, purpose: str,
) -> int:  # fmt: skip
    """Get a board and run COMMAND while it is held; write -- before it.

    COMMAND finds the board's URL in the environment as NODEMCU_BOARD_URL, and the place's name as NODEMCU_PLACE. Its
    exit code is this one's. It is ended when the lease is lost.
    """
    needs = Needs(modules=frozenset(modules), tags=frozenset(tags), flash=flash, lua=lua, place=place)
    if place is not None:
        made.place(place)
    return ending.run(_run(made, needs, command, timeout, purpose))


async def _run(made: Rack, needs: Needs, command: tuple[str, ...], timeout: float | None, purpose: str) -> int:
    lease = await _checked(made, needs, timeout, purpose)
    async with lease:
        environment = {**os.environ, "NODEMCU_BOARD_URL": lease.url, "NODEMCU_PLACE": lease.place.name}
        try:
            process = await asyncio.create_subprocess_exec(*command, env=environment)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise UsageError(f"{command[0]} cannot be run ({why})", remedy="Check its name.") from error
        ended, lost = asyncio.ensure_future(process.wait()), asyncio.ensure_future(lease.until_lost())
        try:
            await asyncio.wait((ended, lost), return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                lease.check()
            code = await ended
            if not code:
                health.record_success(lease.place, folder=made.folder)
            return code if code >= 0 else 128 - code
        except LeaseLost:
            sys.stdout.flush()
            raise
        finally:
            lost.cancel()
            await _end(process)


async def _checked(made: Rack, needs: Needs, timeout: float | None, purpose: str) -> Lease:
    """A lease of a board that answers; those of places that do not are given back."""
    trouble: BridgeError | None = None
    while True:
        try:
            lease = await made.claim(needs, purpose=purpose, timeout=timeout)
        except NoPlace:
            if trouble is not None:
                raise trouble from None
            raise
        try:
            await lease.check_board()
        except (PlaceFailed, WrongBoard) as error:
            await lease.release()
            if trouble is not None:
                click.echo(f"nodemcu-bridge: {trouble}", err=True)
            trouble = error
            needs = replace(needs, avoid=needs.avoid | {lease.place.name})
            continue
        except BaseException:
            await lease.release()
            raise
        for note in [*([str(trouble)] if trouble is not None else []), *lease.notes]:
            click.echo(f"nodemcu-bridge: {note}", err=True)
        return lease


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a program that still runs: politely first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await process.wait()


@rack.command()
@rack_source
@click.option("--once", is_flag=True, help="Print the table once.")
@click.option(
    "--every",
    type=SECONDS,
    default=0.5,
    show_default=True,
    help="Seconds from one look to the next where nothing tells of changes, as for labgrid.",
)
def watch(made: Rack, once: bool, every: float) -> None:
    """Show a rack as it is used: places, who holds which since when, what runs there, heap, the last failure.

    It goes on until Ctrl-C. Where the output is no terminal it prints a line for each place, and one whenever something
    changes.
    """
    from bridge.cli.rack_watch import watch_rack

    watch_rack(made, rack_title(), once=once, every=every)


@rack.command()
@click.option("--to", "folder", metavar="FOLDER", type=click.Path(path_type=Path, file_okay=False),
              help="Where the page, the JUnit file and the rest go; by default a new temporary folder.")  # fmt: skip
def demo(folder: Path | None) -> int:
    """A rack without hardware: 60 tests on four virtual boards at once, two of which fail in the middle.

    One board hangs and one restarts. The run ends by itself, the tests that were hit run again on another board, and
    the sick boards are named. Two tests are wrong on purpose. It takes about a minute. Exit code 1: it went otherwise.
    """
    for package, name in (("pytest", "pytest"), ("xdist", "pytest-xdist")):
        if find_spec(package) is None:
            raise UsageError(
                f"The demo is a run of pytest, and {name} is not installed",
                remedy="pip install 'nodemcu-bridge[pytest]'",
            )
    from bridge.cli.rack_demo import show_demo

    return show_demo(folder)
