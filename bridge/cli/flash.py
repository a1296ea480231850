"""`nodemcu-bridge flash`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from bridge.cli.options import port_option, profile_option
from bridge.flash import FLASH_BAUD, FlashProgress, flash_image
from bridge.image import check_image, load_image
from bridge.profile import Profile


@click.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@port_option
@profile_option
@click.option("--baud", type=click.IntRange(min=1), help=f"Speed for writing. Default: the profile's, or {FLASH_BAUD}.")
@click.option("--erase", is_flag=True, help="Erase the whole flash first: files and Wi-Fi settings are lost.")
@click.option("--log", type=click.Path(path_type=Path, dir_okay=False), help="Append esptool's output to this file.")
def flash(
    images: tuple[Path, ...], url: str, profile: Profile | None, baud: int | None, erase: bool, log: Path | None
) -> None:
    """Write a firmware image to the board: one combined IMAGE, or 0x00000.bin and 0x10000.bin.

    The image is checked first (for ESP8266, whole, NodeMCU, with the module net), and verified after writing.
    """
    parts = load_image(*images)
    facts = check_image(parts)
    click.echo(f"NodeMCU {facts.version or 'of an older kind'}, Lua {facts.lua}, modules {', '.join(facts.modules)}")
    speed = baud or (profile.flash.baud if profile is not None else FLASH_BAUD)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
        console=Console(stderr=True), transient=True,
    ) as bar:  # fmt: skip
        task = bar.add_task("starting", total=1.0)

        def show(step: FlashProgress) -> None:
            bar.update(task, description=step.stage, completed=step.fraction)

        report = asyncio.run(flash_image(url, parts, baud=speed, erase=erase, progress=show, log=log))
    who = f"{report.chip} {report.mac} on {url}"
    click.echo(f"Wrote {report.size} bytes to {who} in {report.seconds:.1f} s, and verified them.")
