"""Booting a board afresh through whatever its port offers: reset lines, or `node.restart()` at the prompt."""

from __future__ import annotations

import asyncio

from bridge.comparison.console import BANNER, END_ANY_STATE, Console
from bridge.errors import NotNodeMCU, PortError
from bridge.ports.base import Port

#: How long RTS holds the chip in reset, in seconds (esptool's hard reset).
HOLD_S = 0.1
#: How long a boot may take until the prompt, in seconds: formatting a fresh file system is the longest part.
BOOT_S = 60.0


async def has_lines(port: Port, hold_s: float | None = HOLD_S) -> bool:
    """Whether a port can reset its board by DTR and RTS; it leaves the board alone.

    Args:
        port: open.
        hold_s: as for `restart`.
    """
    if hold_s is None:
        return False
    try:
        await port.set_lines(dtr=False, rts=False)
    except PortError:
        return False
    return True


async def restart(console: Console, hold_s: float | None = HOLD_S) -> bytes:
    """Boot the board afresh and wait for its prompt.

    Args:
        console: of the board.
        hold_s: how long RTS holds the chip in reset, in seconds; None for boards whose lines are not wired.

    Returns:
        What the board printed while it booted, from the banner on.

    Raises:
        NotNodeMCU: no prompt came.
    """
    port = console.port
    if hold_s is not None and await has_lines(port):
        await port.set_lines(rts=True)
        await asyncio.sleep(hold_s)
        console.heard.clear()
        await port.set_lines(rts=False)
    else:
        await _type_restart(console)
    if not await console.prompt(BOOT_S):
        raise NotNodeMCU(
            "No Lua prompt came after a reset",
            port=port.url,
            remedy="Check that NodeMCU is flashed and that no program of the board's own takes the console.",
        )
    return _from_banner(bytes(console.heard))


def _from_banner(heard: bytes) -> bytes:
    """What was heard from the banner on: before it come the ROM's words at another speed, or a half-typed line."""
    before, banner, after = heard.rpartition(BANNER)
    return before[len(before.rstrip(b"\r\n")) :] + banner + after


async def _type_restart(console: Console) -> None:
    console.heard.clear()
    console.port.write(END_ANY_STATE)
    if not await console.prompt(3.0):
        raise NotNodeMCU(
            "The board does not answer at the Lua prompt, and this port has no reset lines",
            port=console.port.url,
            remedy="Reset it by hand, or use a port with DTR and RTS.",
        )
    console.heard.clear()
    console.port.write(b"node.restart()\r\n")
    # The prompt that answers this line comes before the restart; the banner comes after it.
    await console.banner(BOOT_S)
