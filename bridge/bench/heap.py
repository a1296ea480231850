"""What the agent takes of the board's heap."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge import agent
from bridge.bench.plan import Plan, Row
from bridge.bench.rig import Rig
from bridge.bench.speed import opened_at
from bridge.board import Board
from bridge.errors import NotNodeMCU
from bridge.repl import Repl
from bridge.trace.secrets import discreet_text

#: Sockets made to see what each costs.
_MORE_SOCKETS = 4


@dataclass(frozen=True)
class HeapFigures:
    """Bytes; `bootstrap_peak` is None on a real board, which does not tell it."""

    fresh: int
    agent: int
    bootstrap_peak: int | None
    net: int
    socket: int


async def measure_heap(rig: Rig, plan: Plan, row: Row) -> HeapFigures:
    """Open the board and see what the agent, its room `net` and sockets take, in bytes.

    Free heap is read at the fresh prompt as a person would, and then by a call, each time after a full collection.

    Raises:
        BridgeError: the board cannot be opened.
    """
    fresh = await _at_the_prompt(rig)
    model = None if rig.system is None else rig.system.heap
    began = None
    if model is not None:
        began = model.free()
        model.exact, model.lowest = True, began
    peak = None

    def started() -> None:
        nonlocal peak
        if model is not None and began is not None:
            model.exact = False
            peak = began - model.lowest

    async with opened_at(rig.port, row.baud, plan.rng("epoch"), started) as board:
        with_agent = await _free(board)
        first = await board.net.createConnection()
        with_socket = await _free(board)
        more = [await board.net.createConnection() for _ in range(_MORE_SOCKETS)]
        with_more = await _free(board)
        for socket in (first, *more):
            await socket.release()
    return HeapFigures(
        fresh=fresh,
        agent=fresh - with_agent,
        bootstrap_peak=peak,
        net=with_agent - with_socket,
        socket=round((with_socket - with_more) / _MORE_SOCKETS),
    )


async def _at_the_prompt(rig: Rig) -> int:
    await agent.stop(rig.port)
    repl = Repl(rig.port)
    try:
        answer = await repl.line("=node.heap()")
    finally:
        repl.release()
    if re.fullmatch(rb"\d+", answer) is None:
        said = discreet_text(answer.decode("latin-1"))[:40]
        raise NotNodeMCU(f"=node.heap() answers {said!r}, which is not NodeMCU's answer", port=rig.port.url)
    return int(answer)


async def _free(board: Board) -> int:
    free = await board.exec("collectgarbage() collectgarbage() return node.heap()")
    return int(free)
