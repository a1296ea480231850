"""Options that the commands share."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from bridge.ports.base import CONSOLE_BAUD
from bridge.ports.discover import only_board
from bridge.profile import Profile, load_profile

F = TypeVar("F", bound=Callable[..., Any])


class _Seconds(click.FloatRange):
    """A time in seconds. What is no number, or no end, would make a program wait in vain or for ever."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The time that a text gives."""
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not math.isfinite(seconds) or seconds < 0 or (self.min_open and seconds == 0):
            least = "more than 0" if self.min_open else "0 or more"
            self.fail(f"{value} is not a time: give {least} seconds, such as 2.5.", param, ctx)
        return seconds


#: How long something may last.
SECONDS = _Seconds(min=0, min_open=True)
#: How long to go on, perhaps not at all.
SECONDS_OR_NONE = _Seconds(min=0)


def _port(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str:
    return value if value is not None else only_board().url


def _profile(ctx: click.Context, parameter: click.Parameter, value: str | None) -> Profile | None:
    return None if value is None else load_profile(value)


def port_option(function: F) -> F:
    """`--port URL`: the port's URL, by default that of the only board found."""
    return click.option(
        "--port",
        "url",
        metavar="URL",
        callback=_port,
        help="A serial port, rfc2217://host:port, socket://host:port, or virtual: for a board without hardware. "
        "Default: the only board found.",
    )(function)


def profile_option(function: F) -> F:
    """`--profile NAME`: a `Profile` or None."""
    return click.option(
        "--profile", metavar="NAME", callback=_profile, help="Kind of board: a name of device_profiles, or a YAML file."
    )(function)


def baud_option(function: F) -> F:
    """`--baud N`: speed of the console."""
    return click.option(
        "--baud",
        type=click.IntRange(min=1),
        default=CONSOLE_BAUD,
        show_default=True,
        help="Speed of the board's console.",
    )(function)


def json_option(function: F) -> F:
    """`--json`: output for programs; commands use `bridge.cli.json_output.json_output`, which says what it is."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def trace_option(function: F) -> F:
    """`--trace FILE`: a `Path` or None."""
    return click.option(
        "--trace",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Write what goes over the line to this file, without keys and passwords; see `trace show`.",
    )(function)


def wait_option(function: F) -> F:
    """`--wait N`: seconds to stay when the work is done."""
    return click.option(
        "--wait",
        type=SECONDS_OR_NONE,
        default=0.0,
        show_default=True,
        help="Seconds to go on showing what the board prints.",
    )(function)
