"""Opening a board: the port, a trace if one is wanted, and the board on them."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Generator, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from bridge import agent, trace
from bridge.board import Board, Starter
from bridge.errors import UsageError
from bridge.link.speed import LADDER
from bridge.ports.base import CONSOLE_BAUD, Port, is_port
from bridge.speeds import SpeedMemory


class Opening:
    """A board that is opened when this is awaited, or entered by `async with`, which closes it at the end."""

    _entered: Board | None = None

    async def _open(self) -> Board:
        raise NotImplementedError

    def __await__(self) -> Generator[Any, None, Board]:
        return self._open().__await__()

    async def __aenter__(self) -> Board:
        self._entered = await self._open()
        return self._entered

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._entered is not None:
            await self._entered.close()


class open_board(Opening):
    """Open a board: `async with open_board(url) as board`, or `board = await open_board(url)`.

    Opening is gentle: the board is not reset, and its prompt, speed and settings are given back at the end.

    Args:
        port: a port's URL (see `bridge.ports.open`), or an open `Port`, which stays the caller's to close.
        baud: speed of the board's console, in baud.
        speeds: of the line while the board is open, in baud, the one to try first comes first. Each is proven before
            it is kept, and the console has its own again at the end. None leaves it at the console's.
        mhz: clock of the board's CPU while it is open, 80 or 160; 0 leaves it as it is.
        trace: file to write a trace to (`bridge.trace`), without secrets; an existing trace is overwritten.
        owns_port: a `Port` that is given is closed with the board.
        start: puts the agent on the board; for tests.

    Raises:
        UsageError: the trace cannot be written, or what was given is no port.
        PortNotFound, PortBusy, PortError: the port cannot be opened.
        NotNodeMCU: something else answers, or nothing does.
        AgentError, LinkError: the agent could not be put on the board.
    """

    def __init__(
        self,
        port: str | Port,
        *,
        baud: int = CONSOLE_BAUD,
        speeds: Iterable[int] = LADDER,
        mhz: int = 160,
        trace: str | Path | None = None,
        owns_port: bool = False,
        start: Starter | None = None,
    ) -> None:
        if not isinstance(port, str) and not is_port(port):
            raise UsageError(
                f"{port!r} is no port", remedy='Pass its URL as a str, such as "/dev/ttyUSB0" or "virtual:".'
            )
        self._what = port
        self._baud = baud
        self._speeds = tuple(speeds)
        self._trace = trace
        self._owns_port = owns_port
        self._start = start or functools.partial(agent.start, mhz=mhz)

    def _board_on(self, port: Port, *, owns_port: bool) -> Board:
        return Board(port, owns_port=owns_port, start=self._start, speeds=self._speeds, memory=SpeedMemory())

    async def _open(self) -> Board:
        if isinstance(self._what, str):
            port = await trace.open_traced(self._what, baud=self._baud, trace=self._trace)
            board = self._board_on(port, owns_port=True)
        elif self._trace is not None:
            recorder = trace.Recorder(self._trace, self._what.url, asyncio.get_running_loop())
            # What is owned is the port around it, which gives this one back to the caller.
            board = self._board_on(trace.TracedPort(self._what, recorder, owner=self._owns_port), owns_port=True)
        else:
            board = self._board_on(self._what, owns_port=self._owns_port)
        try:
            await board.open()
        except BaseException:
            await board.close()
            raise
        return board
