"""Plays a recording through the mirror: a virtual board on the virtual clock, its peers in memory."""

from __future__ import annotations

import ast
import asyncio
import json
import random
from dataclasses import dataclass
from pathlib import Path

from bridge import agent
from bridge.board import Board
from bridge.link import Link
from bridge.opening import open_board
from bridge.ports.base import Port
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from tests.ground_truth.mirror.peers import Peers
from tests.ground_truth.mirror.scenarios import SCENARIOS, Scenario
from tests.ground_truth.mirror.statements import Statements, error_text
from tests.ground_truth.mirror.transcript import Step, normal, peer_view, steps_of

FOLDER = Path(__file__).parent.parent


@dataclass(frozen=True)
class Difference:
    """One place where the mirror answers otherwise.

    Attributes:
        step: number of the statement in the recording, or of the step at which the recorder only listened; None for
            what the peers saw.
        statement: what was called, or None.
        recorded, here: what was printed.
    """

    step: int | None
    statement: str | None
    recorded: list[str]
    here: list[str]


def prelude() -> str:
    """The definitions that most scenarios begin with, as the recorder sent them."""
    tree = ast.parse((FOLDER / "scenarios" / "netlib.py").read_text())
    (function,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "pre")
    sent = []
    for node in function.body:
        if isinstance(node, ast.Expr) and isinstance(call := node.value, ast.Call):
            if ast.unparse(call.func) == "d.cmd" and isinstance(line := call.args[0], ast.Constant):
                sent.append(str(line.value))
    return "".join(sent)


async def _start(port: Port) -> Link:
    return await agent.start(port, rng=random.Random(7))


def differences(name: str, lua: str = "5.1") -> list[Difference]:
    """Play a recording; gives where what is printed, or what the peers see, is not as recorded.

    Args:
        name: of the recording.
        lua: version of the board.
    """
    recording = json.loads((FOLDER / "recordings" / f"{name}.json").read_text())
    return clock.run(_play(SCENARIOS[name], steps_of(recording["steps"]), recording.get("extra"), lua))


async def _play(scenario: Scenario, steps: list[Step], extra: list[list[object]] | None, lua: str) -> list[Difference]:
    async with VirtualBoard(VirtualOptions(clock="virtual", lua=lua)) as virtual:
        await virtual.answered()
        assert isinstance(virtual.network, MemoryNetwork)
        peers = Peers(virtual.network)
        await scenario.prepare(peers)
        port = VirtualPort(virtual)
        try:
            async with open_board(port, start=_start) as board:
                found = await _steps(board, scenario, steps, peers)
        finally:
            await peers.close()
            await port.close()
    if extra is not None:
        recorded, here = peer_view(extra), peer_view(peers.seen)  # type: ignore[arg-type]
        if recorded != here:
            found.append(Difference(None, None, recorded, here))
    return found


async def _steps(board: Board, scenario: Scenario, steps: list[Step], peers: Peers) -> list[Difference]:
    loop = asyncio.get_running_loop()
    printed: list[str] = []
    found: list[Difference] = []
    board.on("error", lambda error, where: printed.append(f"error in a handler: {error_text(error)}"))
    board.on("fault", lambda text: printed.append(f"fault: {text}"))
    statements = Statements(board, printed.append)
    if scenario.prelude:
        await statements.run(prelude())
    start = loop.time() - steps[0].at
    last: Step | None = None
    for step in steps:
        if step.number in scenario.before:
            await scenario.before[step.number](peers)
        if step.statement is not None:
            if scenario.on_board:
                await _on_board(board, step.statement, printed)
            else:
                await statements.run(step.statement)
            last = step
        elif step.printed is not None:
            # The network's time goes on as it did for the recorder; a call that took longer moves the rest.
            late = loop.time() - start - step.at
            if late > 0:
                start += late
            await asyncio.sleep(start + step.at - loop.time())
            here = normal(printed)
            printed.clear()
            if here != step.printed:
                shown = last or step
                found.append(Difference(shown.number, shown.statement, step.printed, here))
            last = None
    return found


async def _on_board(board: Board, statement: str, printed: list[str]) -> None:
    """Run a statement on the board as the prompt does."""
    try:
        if statement.startswith("="):
            values = await board.eval(f"table.concat({{(function(...) for i = 1, select('#', ...) do end return ... end)({statement[1:]})}}, '\\t')")
            printed.append(str(values))
        else:
            await board.exec(statement)
    except Exception as error:
        printed.append(f"error: {error_text(error)}")
