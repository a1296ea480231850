"""What the bridge takes of the host's CPU.

The board is another process, so that the CPU time of this one is the bridge's alone: the port, the link and the calls.
Where its line is not paced, much comes at a time, and the figure says what the bytes cost; where it is, little comes
at a time, and being woken for it costs more.
"""

from __future__ import annotations

import dataclasses
import gc
import time
from dataclasses import dataclass

from bridge.bench.goodput import CLEAN, SETUP, TO_BOARD, TO_BOARD_AT_ONCE, TO_HOST, TO_HOST_AT_ONCE, Stream, run_streams
from bridge.bench.plan import Plan, Row
from bridge.bench.process import board_process
from bridge.bench.rig import virtual_options
from bridge.bench.speed import opened_at
from bridge.board import Board
from bridge.ports.base import CONSOLE_BAUD
from bridge.ports.open import open_port

MEGABYTE = 1_000_000
#: Speed of the line that is paced.
PACED_BAUD = 921_600


@dataclass(frozen=True)
class HostFigures:
    """CPU seconds per MB of payload, to the board and to the host."""

    to_board: float
    to_host: float


async def measure_host(plan: Plan, *, rfc2217: bool = False, paced: bool = False) -> HostFigures:
    """Move payload to a virtual board in another process and back; call it on the wall clock.

    Args:
        plan: how much, and the board.
        rfc2217: reach it by RFC 2217 on loopback, else through a pseudo-terminal.
        paced: on a line of 921600 baud that hands over what comes each millisecond, as a real adapter does; else the
            line takes no time.

    Raises:
        BridgeError: the board's process or the link fails.
    """
    row = Row(PACED_BAUD if paced else CONSOLE_BAUD, 1.0)
    options = dataclasses.replace(virtual_options(plan, row), baud_pacing=paced, cpu=0.0)
    async with board_process(options, rfc2217=rfc2217) as url:
        port = await open_port(url)
        try:
            async with opened_at(port, row.baud) as board:
                return await cpu_per_megabyte(board, plan)
        finally:
            await port.close()


async def cpu_per_megabyte(board: Board, plan: Plan) -> HostFigures:
    """CPU seconds of this process per MB, with an open board whose other end is no part of this process."""
    rng = plan.rng("host")
    payload, given = rng.randbytes(TO_BOARD), rng.randbytes(TO_HOST)
    await board.exec(SETUP, given)

    async def drop() -> int:
        await board.lua.nb_drop(payload, timeout=None)
        return TO_BOARD

    async def give() -> int:
        await board.lua.nb_give(timeout=None)
        return TO_HOST

    figures = []
    for call, at_once in ((drop, TO_BOARD_AT_ONCE), (give, TO_HOST_AT_ONCE)):
        await call()
        gc.collect()
        stream = Stream(call, at_once, plan.amounts.host_bytes)
        before = time.process_time()
        await run_streams(stream)
        figures.append((time.process_time() - before) * MEGABYTE / stream.done)
    await board.exec(CLEAN)
    return HostFigures(*figures)
