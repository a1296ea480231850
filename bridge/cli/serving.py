"""What `proxy` and `forward` share: they serve until they are told to end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click

from bridge.cli.options import SECONDS
from bridge.errors import BridgeError
from bridge.opening import open_board
from bridge.ports.open import check_wall_clock
from bridge.profile import Profile
from bridge.streams.connecting import SLOT_TIMEOUT

F = TypeVar("F", bound=Callable[..., Any])


def queue_option(function: F) -> F:
    """`--queue N`: seconds that a client waits for its turn."""
    return click.option(
        "--queue",
        type=SECONDS,
        default=SLOT_TIMEOUT,
        show_default=True,
        help="Seconds that a client waits while all five connections of the board are in use.",
    )(function)


def for_option(function: F) -> F:
    """`--for N`: seconds until the end, or None."""
    return click.option(
        "--for",
        "seconds",
        type=SECONDS,
        default=None,
        metavar="SECONDS",
        help="End after this time. Default: go on until Ctrl-C or SIGTERM.",
    )(function)


def board_for(what: str, url: str, profile: Profile | None, baud: int, trace: Path | None) -> open_board:
    """The board to be opened.

    Args:
        what: for the message.
        url, profile, baud, trace: as the options give them.

    Raises:
        UsageError: it lives on the virtual clock, or the trace cannot be written.
    """
    check_wall_clock(url, what)
    return open_board(url, baud=baud, mhz=profile.cpu_mhz if profile is not None else 160, trace=trace)


async def serve_for(serving: Coroutine[Any, Any, None], seconds: float | None) -> None:
    """Serve for so long, or until it is cancelled.

    Raises:
        BridgeError: the board was lost for good.
    """
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            await serving
    except TimeoutError as error:
        if isinstance(error, BridgeError) or not limit.expired():
            raise
