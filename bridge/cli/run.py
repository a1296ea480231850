"""`nodemcu-bridge run`."""

from __future__ import annotations

from pathlib import Path

import click

from bridge.cli.execute import ExecOutput, run_source, without_interpreter
from bridge.cli.json_output import json_output
from bridge.cli.options import SECONDS, baud_option, port_option, profile_option, trace_option, wait_option
from bridge.errors import UsageError
from bridge.ports.open import run_for
from bridge.profile import Profile


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@port_option
@profile_option
@baud_option
@click.option("--timeout", type=SECONDS, default=60.0, show_default=True, help="Seconds that the file may run.")
@wait_option
@click.option("--status", "as_status", is_flag=True, help="Exit with the number that the file returns; false is 1.")
@trace_option
@json_output(ExecOutput)
def run(
    file: Path,
    url: str,
    profile: Profile | None,
    baud: int,
    timeout: float,
    wait: float,
    as_status: bool,
    trace: Path | None,
    as_json: bool,
) -> int:
    """Run a Lua FILE on the board, without storing it there, and print what it prints, then what it returns.

    The exit code is 1 if it raises an error or the board goes away, and with --status what it returns.
    A first line that begins with # is left out, as the stand-alone lua does.
    """
    try:
        source = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({error.strerror})", remedy="Check the file's name.") from error
    source = without_interpreter(source)
    return run_for(
        url,
        run_source(
            url, source, profile, baud=baud, timeout=timeout, wait=wait, trace=trace, as_json=as_json, name=file.name,
            as_status=as_status,
        ),
    )  # fmt: skip
