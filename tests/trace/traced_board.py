"""A board that is traced, on the virtual clock, and what its session really delivered."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import bridge
from bridge import agent
from bridge.link import Link
from bridge.ports.base import Port
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.faults import Faults
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from bridge.wire.events import ConsoleText, MessageReceived
from bridge.wire.messages import Message

Scenario = Callable[[bridge.Board, VirtualBoard], Awaitable[None]]


@dataclass
class Truth:
    """What the sessions of a traced board delivered after their first message, and counted."""

    messages: list[Message] = field(default_factory=list)
    console: bytes = b""
    damaged: list[int] = field(default_factory=list)


def run_traced(
    path: Path | None, scenario: Scenario, *, faults: dict[str, float] | None = None, seed: int = 0, **options: object
) -> Truth:
    """Run a program on a board and trace it.

    Args:
        path: of the trace; None for none.
        scenario: the program.
        faults: what befalls the line once the agent is there.
        seed: of the board and of these faults.
        options: of the board.
    """
    truth = Truth()
    sessions = []
    rng = random.Random(seed)

    async def start(port: Port) -> Link:
        link = await agent.start(port, rng=rng)
        take = link.session.next_event

        def tapped() -> object:
            event = take()
            match event:
                case MessageReceived(message):
                    truth.messages.append(message)
                case ConsoleText(data):
                    truth.console += data
            return event

        link.session.next_event = tapped  # type: ignore[method-assign,assignment]
        sessions.append(link.session)
        return link

    async def main() -> None:
        made = VirtualOptions(clock="virtual", seed=seed, **options)  # type: ignore[arg-type]
        async with VirtualBoard(made) as virtual:
            await virtual.answered()
            port = VirtualPort(virtual)
            async with bridge.open_board(port, trace=path, start=start) as board:
                if faults is not None:
                    bad = VirtualOptions(**faults)  # type: ignore[arg-type]
                    virtual.line.faults_in = Faults(bad, random.Random(seed))
                    virtual.line.faults_out = Faults(bad, random.Random(seed + 1))
                await scenario(board, virtual)
            await port.close()

    clock.run(main(), limit=1800)
    truth.damaged = [session.damaged for session in sessions]
    return truth
