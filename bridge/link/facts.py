"""What the bootstrap learnt of a board."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.wire.numbers import Numbers, numbers_of

#: The second value of `node.bootreason` (docs/modules/node.md of release 3.0.0), which supersedes the first.
_CAUSES = {
    0: "power on",
    1: "hardware watchdog",
    2: "exception",
    3: "software watchdog",
    4: "software restart",
    5: "wake from deep sleep",
    6: "external reset",
}


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
    boot_reason: tuple[int, int] | None = None
    """What `node.bootreason` says of the present boot: its raw code and its extended one; None if it does not say."""

    bits: int = 32
    """Bits of whole numbers on Lua 5.3."""

    @property
    def numbers(self) -> Numbers:
        """Which numbers its Lua has."""
        return numbers_of(self.lua, self.number, self.bits)

    @property
    def boot_cause(self) -> str | None:
        """The same in words, or None."""
        if self.boot_reason is None:
            return None
        raw, extended = self.boot_reason
        return _CAUSES.get(extended, f"boot reason {raw}, {extended}")
