"""`nodemcu-bridge repl`."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import click

from bridge import ending
from bridge.cli.execute import shown
from bridge.cli.options import baud_option, port_option, profile_option, trace_option
from bridge.errors import AgentError, BridgeError, PortError, ReplError, UsageError
from bridge.opening import open_board
from bridge.ports.base import Port
from bridge.profile import Profile
from bridge.trace import open_traced

#: Seconds that RTS holds the chip in reset where no profile says otherwise.
_HOLD_S = 0.1

#: Resets a board by its port, or without it.
_Reset = Callable[[Port], Awaitable[None]]


@click.command()
@port_option
@profile_option
@baud_option
@click.option("--agent/--no-agent", "agent", default=True, help="Without it, keys go to the board as they are.")
@click.option("--history", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Of what was typed.")
@trace_option
def repl(url: str, profile: Profile | None, baud: int, agent: bool, history: Path | None, trace: Path | None) -> None:
    """A terminal on the board: Lua line by line, with a history; %help says what else. Ctrl-] leaves.

    Where the agent cannot run, and with --no-agent, each key goes to the board and each byte comes back as it is.
    Where standard input is no terminal, its lines are run until one fails.
    """
    ending.run(_run(url, profile, baud, agent, history, trace))


async def _run(
    url: str, profile: Profile | None, baud: int, agent: bool, history: Path | None, trace: Path | None
) -> None:
    if sys.stdin is None or sys.stdout is None:  # closed, as by `<&-`
        raise UsageError("A terminal needs standard input and output", remedy="Use `nodemcu-bridge run`.")
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    if not agent and not interactive:
        raise UsageError("--no-agent needs a terminal", remedy="Leave it out, or use `nodemcu-bridge exec`.")
    async with _apart(url, _by_lines(profile)) as (served, reset):
        port = await open_traced(served, baud=baud, trace=trace)
        try:
            if agent:
                try:
                    await _with_agent(port, url, profile, history, reset, interactive=interactive)
                    return
                except _NoAgent as failure:
                    if not interactive:
                        raise failure.error from failure.error.__cause__
                    click.echo(f"{failure.error}\nThe agent cannot run here: keys go to the board as they are.")
            from bridge.terminal.console import pass_through
            from bridge.terminal.prompt_files import PromptFiles

            await pass_through(port, PromptFiles(port, lambda: reset(port)))
        finally:
            await port.close()


class _NoAgent(Exception):
    """The agent cannot be put on what is there."""

    def __init__(self, error: BridgeError) -> None:
        super().__init__()
        self.error = error


async def _with_agent(
    port: Port, url: str, profile: Profile | None, history: Path | None, reset: _Reset, *, interactive: bool
) -> None:
    from bridge.terminal.commands import CommandCompleter
    from bridge.terminal.editor import Editor, PlainLines
    from bridge.terminal.history import ChunkHistory
    from bridge.terminal.lua import LuaTerminal

    mhz = profile.cpu_mhz if profile is not None else 160
    source = Editor(ChunkHistory(history), CommandCompleter()) if interactive else PlainLines()
    with source.held():
        while True:
            try:
                board = await open_board(port, speeds=(), mhz=mhz)
            except (AgentError, ReplError) as error:
                raise _NoAgent(error) from None
            try:
                if interactive:
                    facts = board.facts
                    source.show(
                        f"NodeMCU with Lua {facts.lua} on {url}, {facts.heap_after} bytes of heap free. "
                        "Ctrl-] leaves, %help says more.\n"
                    )
                terminal = LuaTerminal(board, source, shown, pull_reset=lambda: reset(port), interactive=interactive)
                await terminal.run()
                return
            except PortError:
                raise
            except BridgeError as error:
                if not interactive:
                    raise
                source.show(f"{error}\nReset the board and go on? [y resets, any other key leaves] ")
                answer = await source.key()
                source.show("\n")
                if answer not in ("y", "Y"):
                    raise
            finally:
                await board.close()
            await reset(port)


def _by_lines(profile: Profile | None) -> _Reset:
    """The reset by DTR and RTS, as this kind of board has them wired."""

    async def reset(port: Port) -> None:
        if profile is not None and profile.reset.lines == "none":
            raise PortError("This kind of board has no reset lines", port=port.url)
        await port.set_lines(dtr=False, rts=False)
        await port.set_lines(rts=True)
        await asyncio.sleep(_HOLD_S if profile is None else profile.reset.hold_ms / 1000)
        await port.set_lines(rts=False)

    return reset


@contextlib.asynccontextmanager
async def _apart(url: str, reset: _Reset) -> AsyncIterator[tuple[str, _Reset]]:
    """A port's URL, and how its board is reset.

    A virtual board gets a process of its own, so that Lua that never ends leaves the keys alive.
    """
    if not url.startswith("virtual:"):
        yield url, reset
        return
    from bridge.bench.process import started_board
    from bridge.virtual.options import parse_url

    options = parse_url(url)
    if options.clock == "virtual":
        raise UsageError("A terminal cannot live on the virtual clock", port=url, remedy="Leave clock=virtual out.")
    async with started_board(options) as started:

        async def press(port: Port) -> None:
            started.press_reset()

        yield started.url, press
