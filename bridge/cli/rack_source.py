"""Where the boards of a `rack` command are: in a rack file, or at places of labgrid."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bridge.errors import UsageError
from bridge.rack.load import VARIABLE, load_rack
from bridge.rack.rack import Rack


def rack_source(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--rack FILE` or `--labgrid ENV`: the function gets `made`, a `Rack`."""

    @functools.wraps(function)
    def run(*arguments: Any, file: Path | None, labgrid: str | None, **options: Any) -> Any:
        return function(*arguments, made=_rack(file, labgrid), **options)

    by_file = click.option(
        "--rack", "file", metavar="FILE", type=click.Path(path_type=Path),
        help=f"The rack file. Default: the environment variable {VARIABLE}.",
    )  # fmt: skip
    by_labgrid = click.option(
        "--labgrid", metavar="ENV", help="Places of labgrid: an environment file, or host:port of a coordinator."
    )
    return by_file(by_labgrid(run))


def _rack(file: Path | None, labgrid: str | None) -> Rack:
    if file is not None and labgrid is not None:
        raise UsageError("The boards are in a rack file or at places of labgrid", remedy="Give --rack or --labgrid.")
    if labgrid is not None:
        from bridge.labgrid_place.rack import open_rack

        return open_rack(labgrid)
    named = file or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if named is None:
        raise UsageError("Which rack is not said", remedy=f"Give its file by --rack, or in {VARIABLE}.")
    return Rack(load_rack(named))


def rack_title() -> str:
    """What the rack of the running command is called."""
    given = click.get_current_context().params
    return str(given["labgrid"] or Path(given["file"] or os.environ[VARIABLE]).name)
