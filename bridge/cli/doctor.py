"""`nodemcu-bridge doctor`."""

from __future__ import annotations

from pathlib import Path

import click

from bridge.cli.options import baud_option, port_option, profile_option, trace_option
from bridge.errors import BridgeError
from bridge.inspect import inspect_board
from bridge.opening import open_board
from bridge.ports.latency import SHORT_MS, advice, latency_ms
from bridge.ports.open import run_for
from bridge.profile import Profile
from bridge.trace import open_traced


@click.command()
@port_option
@profile_option
@baud_option
@trace_option
def doctor(url: str, profile: Profile | None, baud: int, trace: Path | None) -> int:
    """Look at a port step by step: does it open, who answers, does the agent run; say what is wrong and what to do."""
    return run_for(url, _examine(url, baud, trace))


async def _examine(url: str, baud: int, trace: Path | None) -> int:
    try:
        port = await open_traced(url, baud=baud, trace=trace)
        _well(f"{url} opens at {baud} baud")
        held = latency_ms(url)
        if held is not None and held > SHORT_MS:
            _ill(advice(url, held))
        try:
            facts = await inspect_board(port)
            _well(f"NodeMCU {facts['version'] or ''} with {facts['lua'] or 'Lua'} answers at its prompt")
            _well(f"{facts['heap']} bytes of heap are free")
            modules = facts["modules"]
            needed = ("net", "node", "tmr", "uart")
            # Firmware 2.x does not say which modules it has.
            missing = [name for name in needed if name not in modules] if isinstance(modules, list) else []
            if missing:
                _ill(f"The firmware lacks {' and '.join(missing)}. Build it with these modules and flash it.")
                return 1
            if facts["ip"]:
                _well(f"Wi-Fi is up, address {facts['ip']}")
            else:
                _ill("Wi-Fi has no address: sockets will not connect. Configure it with wifi.sta.config.")
            async with open_board(port, speeds=()) as board:
                _well(f"The agent runs and leaves {board.facts.heap_after} bytes of heap")
            _well("The prompt is back")
        finally:
            await port.close()
    except BridgeError as error:
        _ill(str(error))
        return error.exit_code
    return 0


def _well(text: str) -> None:
    click.echo(f"ok    {text}")


def _ill(text: str) -> None:
    click.echo(f"FAIL  {text}")
