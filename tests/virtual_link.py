"""A link to a virtual board on the virtual clock, for tests."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge import agent
from bridge.link import Link
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort


@asynccontextmanager
async def virtual_port(**options: object) -> AsyncIterator[VirtualPort]:
    """A port to a freshly made board; its network is in memory."""
    async with VirtualBoard(VirtualOptions(clock="virtual", **options)) as board:  # type: ignore[arg-type]
        port = VirtualPort(board)
        try:
            yield port
        finally:
            await port.close()


@asynccontextmanager
async def virtual_link(**options: object) -> AsyncIterator[Link]:
    """A link to the agent on such a board; console text, faults and the end are kept in lists on it."""
    async with virtual_port(**options) as port:
        link = await agent.start(port, rng=random.Random(1))
        yield link
