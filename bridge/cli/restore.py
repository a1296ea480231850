"""`nodemcu-bridge restore`."""

from __future__ import annotations

from pathlib import Path

import click

from bridge import ending
from bridge.cli.flash import progress_bar, say_what_to_press
from bridge.cli.json_output import Output, json_output, print_json
from bridge.cli.options import port_option, profile_option, trace_option
from bridge.flash import FLASH_BAUD, restore_backup
from bridge.profile import Profile


class RestoreOutput(Output):
    """A flash that is as it was saved; `written` is false where it was so before."""

    port: str
    file: str
    written: bool


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@port_option
@profile_option
@click.option("--baud", type=click.IntRange(min=1), help=f"Speed for writing. Default: the profile's, or {FLASH_BAUD}.")
@click.option("--log", type=click.Path(path_type=Path, dir_okay=False), help="Append esptool's output to this file.")
@trace_option
@json_output(RestoreOutput)
def restore(
    file: Path,
    url: str,
    profile: Profile | None,
    baud: int | None,
    log: Path | None,
    trace: Path | None,
    as_json: bool,
) -> None:
    """Write a whole flash back that `flash --backup FILE` saved: firmware, files and settings."""
    say_what_to_press(profile)
    speed = baud or (profile.flash.baud if profile is not None else FLASH_BAUD)
    with progress_bar(url, trace) as show:
        written = ending.run(restore_backup(url, file, baud=speed, profile=profile, progress=show, log=log))
    if as_json:
        print_json(RestoreOutput(port=url, file=str(file), written=written))
        return
    click.echo(f"The flash on {url} {'is as it was saved again' if written else 'is as it was saved already'}.")
