"""`nodemcu-bridge info`."""

from __future__ import annotations

from pathlib import Path

import click

from bridge.cli.json_output import Output, json_output, print_json
from bridge.cli.options import baud_option, port_option, profile_option, trace_option
from bridge.inspect import Fact, inspect_board
from bridge.ports.open import run_for
from bridge.profile import Profile
from bridge.trace import open_traced


class InfoOutput(Output):
    """What a board says of itself; see `bridge.inspect.inspect_board` for units. What it does not say is null."""

    port: str
    version: str | None
    release: str | None
    commit: str | None
    lua: str | None
    number: str | None
    modules: list[str] | None
    ssl: bool | None
    lfs_size: int | None
    heap: int | None
    chip_id: str | None
    mac: str | None
    ip: str | None
    flash_kb: int | None
    flash_mode: int | None
    flash_hz: int | None


@click.command()
@port_option
@profile_option
@baud_option
@trace_option
@json_output(InfoOutput)
def info(url: str, profile: Profile | None, baud: int, trace: Path | None, as_json: bool) -> None:
    """Say which firmware and hardware answer on a port. Nothing is left on the board, and it is not reset.

    With --profile it is said where the board is not of that kind.
    """
    facts = run_for(url, _ask(url, baud, trace))
    say_doubt(profile, facts)
    if as_json:
        print_json(InfoOutput.model_validate({"port": url, **facts}))
        return
    known = {name: fact for name, fact in facts.items() if fact is not None}
    width = max(map(len, known))
    for name, fact in known.items():
        click.echo(f"{name:{width}}  {_shown(fact)}")


def say_doubt(profile: Profile | None, facts: dict[str, Fact]) -> None:
    """Say on standard error where a board is not what its profile says."""
    if profile is not None and isinstance(size := facts["flash_kb"], int) and (doubt := profile.doubt(size << 10)):
        click.echo(doubt, err=True)


def _shown(fact: Fact) -> str:
    if isinstance(fact, bool):
        return str(fact).lower()
    return ",".join(fact) if isinstance(fact, list) else str(fact)


async def _ask(url: str, baud: int, trace: Path | None) -> dict[str, Fact]:
    port = await open_traced(url, baud=baud, trace=trace)
    try:
        return await inspect_board(port)
    finally:
        await port.close()
