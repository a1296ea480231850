"""Opens a board with its line at one speed."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable

from bridge import agent
from bridge.board import Board
from bridge.errors import BridgeError, LinkError
from bridge.link import Link
from bridge.opening import open_board
from bridge.ports.base import Port
from bridge.repl import Repl

#: Seconds for the console's echo to leave before the board changes its speed, and for the board to change it.
_SETTLE = 0.05


@contextlib.asynccontextmanager
async def opened_at(
    port: Port, baud: int, rng: random.Random | None = None, started: Callable[[], None] = lambda: None
) -> AsyncIterator[Board]:
    """A board with the agent on it, and its line at a speed.

    Args:
        port: open, at the console's speed.
        baud: speed of the line.
        rng: makes the agent's epoch; from the system by default.
        started: called when the agent runs, before the line gets its speed.

    Raises:
        BridgeError: the board cannot be opened (see `bridge.open_board`), or the line does not bear the speed.
    """

    async def start(port: Port) -> Link:
        link = await agent.start(port, rng=rng)
        started()
        return link

    console = port.baud
    try:
        if baud < console:
            await set_console_baud(port, baud)
        async with open_board(port, start=start, speeds=(baud,)) as board:
            if port.baud != baud:
                raise LinkError(f"The line does not carry data well at {baud} baud", port=port.url)
            yield board
    except BaseException:
        with contextlib.suppress(BridgeError):  # what went wrong is worth more than what the way back meets
            await set_console_baud(port, console)
        raise
    await set_console_baud(port, console)


async def set_console_baud(port: Port, baud: int) -> None:
    """Have the console change its speed by `uart.setup`, and follow it. Nothing happens when it has that speed.

    Raises:
        NotNodeMCU, PortLost: there is no prompt.
    """
    if port.baud == baud:
        return
    await agent.stop(port)
    repl = Repl(port)
    try:
        # 8 data bits, no parity, one stop bit, echo as it was.
        repl.write(b"uart.setup(0,%d,8,0,1,1)\r\n" % baud)
        await port.drain()
        await asyncio.sleep(_SETTLE)
        await port.set_baud(baud)
        await repl.sync()
    finally:
        repl.release()
