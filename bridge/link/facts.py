"""What the bootstrap learnt of a board."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AgentFacts:
    """What the bootstrap learnt of a board; a link carries it."""

    lua: str
    """Lua's version: "5.1" or "5.3"."""
    number: str
    """"float" or "integer"."""
    modules: tuple[str, ...]
    """Those modules that the bridge looks for and the firmware has, sorted."""
    heap_before: int
    """Free heap in bytes at the prompt, before the agent came."""
    heap_after: int
    """Free heap in bytes with the agent running."""
    check: str
    """Which check closes the frames: "crc" or "sum"."""
    digest: str
    """Version of the agent."""
    damage: float
    """Share of bytes that the line damaged during the bootstrap, estimated."""
