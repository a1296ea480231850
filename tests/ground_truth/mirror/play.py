"""Plays a recording through the mirror: a virtual board on the virtual clock, its peers in memory."""

from __future__ import annotations

import ast
import asyncio
import json
import random
import warnings
from dataclasses import dataclass
from pathlib import Path

from bridge import agent
from bridge.board import Board
from bridge.errors import BridgeError
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
from tests.ground_truth.player import MAC

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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # older forms of `net` are what was recorded
        return clock.run(_play(SCENARIOS[name], steps_of(recording["steps"]), recording.get("extra"), lua))


async def _play(scenario: Scenario, steps: list[Step], extra: list[list[object]] | None, lua: str) -> list[Difference]:
    async with VirtualBoard(VirtualOptions(clock="virtual", lua=lua, mac=MAC)) as virtual:
        await virtual.answered()
        assert isinstance(virtual.network, MemoryNetwork)
        peers = Peers(virtual.network)
        await scenario.prepare(peers)
        port = VirtualPort(virtual)
        try:
            async with open_board(port, start=_start) as board:
                found = await _steps(board, scenario, steps, peers)
                seen = list(peers.seen)
        finally:
            await peers.close()
            await port.close()
    if extra is not None:
        recorded, here = peer_view(extra), peer_view(seen)
        if recorded != here:
            found.append(Difference(None, None, recorded, here))
    return found


async def _steps(board: Board, scenario: Scenario, steps: list[Step], peers: Peers) -> list[Difference]:
    loop = asyncio.get_running_loop()
    printed: list[str] = []
    found: list[Difference] = []
    board.on("error", lambda error, where: printed.append(f"error in a handler: {error_text(error)}"))
    board.on("reset", lambda error: printed.append("<restarted>"))
    board.on("fault", lambda text: printed.append(f"fault: {text}"))
    statements = Statements(board, printed.append)
    if scenario.prelude:
        await statements.run(prelude())
    await asyncio.sleep((scenario.phase - loop.time()) % 1.0)
    start = loop.time() - steps[0].at * scenario.pace
    last: Step | None = None
    for step in steps:
        if step.number in scenario.before:
            await scenario.before[step.number](peers)
        if step.statement is not None:
            if step.number == scenario.left_out:
                pass
            elif scenario.on_board:
                await _on_board(board, step.statement, printed)
            else:
                await statements.run(step.statement)
            last = step
        elif step.printed is not None:
            # The network's time goes on as it did for the recorder; a call that took longer moves the rest.
            at = step.at * scenario.pace
            start += max(0.0, loop.time() - start - at)
            await asyncio.sleep(start + at - loop.time())
            shown = last or step
            recorded, here = normal(step.printed, shown.statement), normal(printed, shown.statement)
            printed.clear()
            if here != recorded:
                found.append(Difference(shown.number, shown.statement, recorded, here))
            last = None
    return found


async def _on_board(board: Board, statement: str, printed: list[str]) -> None:
    """Run a statement on the board as the prompt does."""
    try:
        value = await (board.eval(statement[1:]) if statement.startswith("=") else board.exec(statement))
    except BridgeError as error:
        printed.append(f"error: {error_text(error)}")
        return
    if value is not None:
        values = value if isinstance(value, tuple) else (value,)
        texts = (each.decode() if isinstance(each, bytes) else str(each) for each in values)
        printed.append("\t".join(text.lower() if text in ("True", "False") else text for text in texts))
