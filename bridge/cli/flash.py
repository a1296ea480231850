"""`nodemcu-bridge flash`."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from bridge import ending
from bridge.cli.json_output import Output, json_output, print_json
from bridge.cli.keep_files import KeepFiles
from bridge.cli.options import port_option, profile_option, trace_option
from bridge.errors import BridgeError
from bridge.firmware.catalog import load_images
from bridge.flash import FLASH_BAUD, FlashProgress, FlashReport, flash_image
from bridge.flashing.backup import WARNING, prepare_backup
from bridge.flashing.kept import Kept
from bridge.flashing.output import HALF_WRITTEN, NOTHING_WRITTEN
from bridge.flashing.start import await_prompt
from bridge.image import ImageFacts, check_image
from bridge.ports.lock import hold_port
from bridge.profile import Profile
from bridge.trace import Recorder

Show = Callable[[FlashProgress], None]


class FlashOutput(Output):
    """What `flash --json` prints."""

    port: str
    chip: str
    """As esptool names it."""
    mac: str
    flash_bytes: int
    """Size of the flash; 0 if esptool does not know it."""
    firmware_bytes: int
    written: bool
    """False: it was there already."""
    baud: int
    """The speed at which it was done."""
    files_lost: bool
    files_put_back: list[str]
    backup: str | None
    """File that holds the flash as it was."""
    backup_kept: bool
    """That file was there already and was left as it is."""
    started: bool | None
    """The new firmware was seen to start; null: not waited for."""
    reason: str | None
    """Why it does not start, or the files are not back; null if all is well."""
    seconds: float
    """For connecting, comparing, writing and verifying."""
    version: str
    lua: str
    modules: list[str]


@click.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@port_option
@profile_option
@click.option("--baud", type=click.IntRange(min=1), help=f"Speed for writing. Default: the profile's, or {FLASH_BAUD}.")
@click.option("--erase", is_flag=True, help="Erase the whole flash first: files and Wi-Fi settings are lost.")
@click.option("--force", is_flag=True, help="Write also what is there already.")
@click.option("--backup", type=click.Path(path_type=Path, dir_okay=False),
              help="Read the whole flash into this file first; `restore` writes it back.")  # fmt: skip
@click.option("--keep-files", is_flag=True, help="Save the board's files, and put them back, if they would be lost.")
@click.option("--lose-files", is_flag=True, help="Go on although the board's files will be lost.")
@click.option("--no-wait", is_flag=True, help="Do not wait until the firmware has started.")
@click.option("--log", type=click.Path(path_type=Path, dir_okay=False), help="Append esptool's output to this file.")
@trace_option
@json_output(FlashOutput)
def flash(
    images: tuple[Path, ...],
    url: str,
    profile: Profile | None,
    baud: int | None,
    erase: bool,
    force: bool,
    backup: Path | None,
    keep_files: bool,
    lose_files: bool,
    no_wait: bool,
    log: Path | None,
    trace: Path | None,
    as_json: bool,
) -> None:
    """Write a firmware image to the board: one combined IMAGE, 0x00000.bin and 0x10000.bin, or a name in the catalog.

    The image is checked first (for ESP8266, whole, NodeMCU, with the modules of the link), and verified after
    writing. What is on the board already is not written again. esptool opens the port itself: a trace tells what it
    was at and when, and holds no bytes.
    """
    parts = load_images(images)
    facts = check_image(parts)
    click.echo(_describe(facts), err=as_json)
    if backup is not None and (made := prepare_backup(backup, parts)) is not None:
        click.echo(
            f"Keeping the backup that is there, {backup} of {made:%Y-%m-%d %H:%M}. The flash as it is now is not "
            "saved: for that, or for another board, give another name.",
            err=True,
        )
    lines = profile is None or profile.reset.lines != "none"
    into_loader = functools.cache(lambda: say_what_to_press(profile))  # once
    done = _Done()

    async def work(show: Show) -> None:
        keep = KeepFiles(url, parts, erase=erase, lines=lines, into_loader=into_loader, progress=show)

        async def start() -> None:
            if done.started is None:
                done.started = False
                await await_prompt(url, lines=lines, progress=show)
                done.started = True

        try:
            if keep_files:
                await keep.before()
            into_loader()  # not earlier: what is in its loader does not answer
            done.report = await flash_image(
                url, parts, baud=baud or (profile.flash.baud if profile is not None else FLASH_BAUD), profile=profile,
                erase=erase, force=force, lose_files=lose_files or keep.safe, backup=backup, progress=show, log=log,
            )  # fmt: skip
            if not no_wait:
                await start()
            done.back = await keep.after(start)
        except BridgeError as error:
            if keep_files:
                keep.explain(error)
            raise

    try:
        # Also between the steps, of which each lets the port go.
        with hold_port(url), progress_bar(url, trace) as show:
            ending.run(work(show))
    except BridgeError as error:
        if done.report is None:
            raise
        done.failure = error
    report = done.report
    assert report is not None
    if profile is not None and report.flash_size not in (0, profile.flash.size):
        click.echo(
            f"The profile {profile.name} says {profile.flash.size >> 10} KB of flash, the chip has "
            f"{report.flash_size >> 10}: its own size went into the image. Is it this kind of board?",
            err=True,
        )
    if backup is not None and not report.backup_kept:
        click.echo(f"{backup} holds the whole flash as it was. {WARNING}", err=True)
    if not keep_files and (left := _left(report.mac)) is not None:
        click.echo(f"Files that --keep-files saved, and that are not back on the board, are in {left}: run the same "
                   "command again with --keep-files to put them back.", err=True)  # fmt: skip
    if as_json:
        print_json(_output(url, report, done, backup))
    else:
        _print(url, report, done, baud)
    if done.failure is not None:
        raise done.failure


@dataclass
class _Done:
    """How far it got."""

    report: FlashReport | None = None
    started: bool | None = None
    back: list[str] = field(default_factory=list)
    failure: BridgeError | None = None


def _left(mac: str) -> Path | None:
    """The folder with files of a board that are not back on it."""
    with contextlib.suppress(BridgeError):  # a folder that cannot be looked at: the flash is done all the same
        return Kept(mac).folder
    return None


def _print(url: str, report: FlashReport, done: _Done, baud: int | None) -> None:
    who = f"{report.chip} {report.mac} on {url}"
    if report.written:
        slower = f" at {report.baud} baud" if baud is not None and report.baud < baud else ""
        click.echo(f"Wrote {report.size} bytes to {who} in {report.seconds:.1f} s{slower}, and verified them.")
    else:
        click.echo(f"This firmware is on {who} already (looked at in {report.seconds:.1f} s); nothing was written.")
    if done.back:
        click.echo(f"Put {len(done.back)} files back.")


def say_what_to_press(profile: Profile | None) -> bool:
    """Say what a person does where no reset lines are wired; returns whether they are."""
    lines = profile is None or profile.reset.lines != "none"
    if not lines:
        by_hand = profile.reset.by_hand if profile is not None else ""
        click.echo(by_hand or "Hold FLASH (GPIO0 to ground), press RESET, and let go of FLASH.", err=True)
    return lines


def _describe(facts: ImageFacts) -> str:
    return f"NodeMCU {facts.version or 'of an older kind'}, Lua {facts.lua}, modules {', '.join(facts.modules)}"


def _output(url: str, report: FlashReport, done: _Done, backup: Path | None) -> FlashOutput:
    return FlashOutput(
        port=url,
        chip=report.chip,
        mac=report.mac,
        flash_bytes=report.flash_size,
        firmware_bytes=report.size,
        written=report.written,
        baud=report.baud,
        files_lost=report.files_lost,
        files_put_back=done.back,
        backup=None if backup is None else str(backup),
        backup_kept=report.backup_kept,
        started=done.started,
        reason=None if done.failure is None else str(done.failure),
        seconds=round(report.seconds, 3),
        version=report.facts.version,
        lua=report.facts.lua,
        modules=list(report.facts.modules),
    )


@contextlib.contextmanager
def progress_bar(url: str, trace: Path | None = None) -> Iterator[Show]:
    """A line on standard error that shows what flashing is at; with a trace, what was at when is noted there."""
    recorder = None if trace is None else Recorder(trace, url)
    console = Console(stderr=True)
    with contextlib.closing(recorder) if recorder is not None else contextlib.nullcontext(), Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
        console=console, transient=True, disable=not console.is_terminal,
    ) as bar:  # fmt: skip
        task = bar.add_task("starting", total=1.0)
        stages = [""]

        def show(step: FlashProgress) -> None:
            bar.update(task, description=step.stage, completed=step.fraction)
            if step.stage != stages[-1]:
                stages.append(step.stage)
                if recorder is not None:
                    recorder.note("esptool", stage=step.stage)

        try:
            yield show
        except KeyboardInterrupt:
            if stages[-1] in (HALF_WRITTEN, NOTHING_WRITTEN):
                click.echo(f"nodemcu-bridge: {stages[-1]}", err=True)
            raise
        except BridgeError as error:
            if recorder is not None:
                recorder.fault(str(error))
            raise
