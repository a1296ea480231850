"""How tests start the agent: as a program does, but with the same epoch in each run."""

from __future__ import annotations

import random

from bridge import agent
from bridge.link import Link
from bridge.ports.base import Port


async def start(port: Port, **more: object) -> Link:
    """The agent; for `open_board(port, start=start)`."""
    return await agent.start(port, rng=random.Random(7), **more)  # type: ignore[arg-type]
