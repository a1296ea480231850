"""Who works on the files of a board: the agent, or, where it cannot run, nodemcu-uploader."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from bridge.errors import AgentError, AgentMismatch, UsageError
from bridge.files import Files
from bridge.files.names import plain
from bridge.files.uploader import UploaderFiles, can_use
from bridge.link.speed import LADDER
from bridge.opening import open_board
from bridge.ports.lock import hold_port
from bridge.profile import Profile

T = TypeVar("T")

#: Bytes from which on a faster line gains more than it takes to try it.
FASTER_FROM = 20_000


@dataclass(frozen=True)
class Place:
    """A board's files.

    Args:
        url: the port.
        files: what works on them.
    """

    url: str
    files: Files | UploaderFiles

    @property
    def via(self) -> str:
        """Who does it."""
        return "agent" if isinstance(self.files, Files) else "nodemcu-uploader"

    def whole(self, command: str) -> Files:
        """The files, for commands that only the agent can do.

        Raises:
            UsageError: nodemcu-uploader works on them.
        """
        if isinstance(self.files, Files):
            return self.files
        raise UsageError(
            f"`fs {command}` needs the agent, which cannot run on this board",
            port=self.url,
            remedy="ls, put, get, cat, rm and format work without it; `doctor` says what the board lacks.",
        )

    def facts(self) -> dict[str, Any]:
        """What every report says."""
        finished = list(map(plain, self.files.finished))
        return {"port": self.url, "via": self.via, "finished": finished}


async def on_board(
    work: Callable[[Place], Awaitable[T]],
    *,
    url: str,
    baud: int,
    profile: Profile | None,
    trace: Path | None,
    much: int | None,
) -> T:
    """Open the board and work on its files.

    Args:
        work: what is to be done.
        url: the port.
        baud: speed of the console.
        profile: of the board.
        trace: file for a trace.
        much: bytes that will go over the line, or None.

    Raises:
        BridgeError: what opening the board and the work raise.
    """
    mhz = profile.cpu_mhz if profile is not None else 160
    speeds = LADDER if much is None or much >= FASTER_FROM else ()
    try:
        board = await open_board(url, baud=baud, speeds=speeds, mhz=mhz, trace=trace)
    except AgentMismatch:
        raise
    except AgentError as error:
        if not can_use(url):
            raise
        why = error.message.rstrip(".")
        click.echo(
            f"{url}: the agent cannot run here ({why}), so nodemcu-uploader does it: slower, and a file that it "
            "replaces is lost if the power fails meanwhile.",
            err=True,
        )
        with hold_port(url):  # what nodemcu-uploader opens in our place
            return await work(Place(url, UploaderFiles(url, baud)))
    try:
        return await work(Place(url, board.files))
    finally:
        await board.close()
