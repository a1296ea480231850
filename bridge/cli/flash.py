"""`nodemcu-bridge flash`."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from bridge.cli.options import port_option, profile_option, trace_option
from bridge.errors import BridgeError
from bridge.flash import FLASH_BAUD, FlashProgress, flash_image
from bridge.image import check_image, load_image
from bridge.profile import Profile
from bridge.trace import Recorder


@click.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@port_option
@profile_option
@click.option("--baud", type=click.IntRange(min=1), help=f"Speed for writing. Default: the profile's, or {FLASH_BAUD}.")
@click.option("--erase", is_flag=True, help="Erase the whole flash first: files and Wi-Fi settings are lost.")
@click.option("--log", type=click.Path(path_type=Path, dir_okay=False), help="Append esptool's output to this file.")
@trace_option
def flash(
    images: tuple[Path, ...],
    url: str,
    profile: Profile | None,
    baud: int | None,
    erase: bool,
    log: Path | None,
    trace: Path | None,
) -> None:
    """Write a firmware image to the board: one combined IMAGE, or 0x00000.bin and 0x10000.bin.

    The image is checked first (for ESP8266, whole, NodeMCU, with the module net), and verified after writing.
    esptool opens the port itself: a trace tells what it was at and when, and holds no bytes.
    """
    parts = load_image(*images)
    facts = check_image(parts)
    click.echo(f"NodeMCU {facts.version or 'of an older kind'}, Lua {facts.lua}, modules {', '.join(facts.modules)}")
    speed = baud or (profile.flash.baud if profile is not None else FLASH_BAUD)
    recorder = None if trace is None else Recorder(trace, url)
    with contextlib.closing(recorder) if recorder is not None else contextlib.nullcontext(), Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
        console=Console(stderr=True), transient=True,
    ) as bar:  # fmt: skip
        task = bar.add_task("starting", total=1.0)
        stages = [""]

        def show(step: FlashProgress) -> None:
            bar.update(task, description=step.stage, completed=step.fraction)
            if recorder is not None and step.stage != stages[-1]:
                stages.append(step.stage)
                recorder.note("esptool", stage=step.stage)

        try:
            report = asyncio.run(flash_image(url, parts, baud=speed, erase=erase, progress=show, log=log))
        except BridgeError as error:
            if recorder is not None:
                recorder.fault(str(error))
            raise
    who = f"{report.chip} {report.mac} on {url}"
    click.echo(f"Wrote {report.size} bytes to {who} in {report.seconds:.1f} s, and verified them.")
