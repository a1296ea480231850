"""A place of labgrid as this package sees it, and whether it can be what is asked for. labgrid is not needed here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class Needs(Protocol):
    """What is asked for; `bridge.rack.needs.Needs` is one."""

    @property
    def modules(self) -> Collection[str]:
        """Modules of the firmware."""

    @property
    def tags(self) -> Collection[str]:
        """Words that the place must have."""

    @property
    def flash(self) -> int:
        """Bytes of flash; 0: any."""

    @property
    def place(self) -> str | None:
        """Its name; None: any."""

    @property
    def lua(self) -> str | None:
        """"5.1" or "5.3"; None: any."""


@dataclass(frozen=True)
class LabgridPlace:
    """A place of a coordinator, with what its exporter says of the board there."""

    name: str
    coordinator: str
    """host:port"""
    role: str | None
    """The target of the environment file that is at this place; None without a file."""
    mac: str | None
    profile: str | None
    tags: frozenset[str]
    modules: frozenset[str]
    """Of its firmware, promised; empty: nothing is promised, and what is missing is found out by the board."""
    flash: int
    """Bytes; 0: unknown."""
    lua: str | None
    holder: str | None
    """host/user who has it, or None."""
    since: float | None
    """When that one took it, in seconds since 1970."""
    absent: str | None
    """Why no board can be had there now, or None."""

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> LabgridPlace:
        """From what the keeper says of it."""
        values = {**said, "tags": frozenset(said["tags"]), "modules": frozenset(said["modules"])}
        return cls(**values)

    @property
    def port(self) -> str:
        """What stands for its port in messages: the port itself is at its exporter, and changes."""
        return f"labgrid://{self.coordinator}/{self.name}"

    def lacks(self, needs: Needs) -> str | None:
        """Why it can never be what is asked for, in words, or None."""
        if needs.place is not None and needs.place != self.name:
            return "is another place"
        missing = sorted(set(needs.tags) - self.tags)
        if missing:
            return f"lacks the tag {', '.join(missing)}"
        missing = sorted(set(needs.modules) - self.modules) if self.modules else []
        if missing:
            return f"lacks the module {', '.join(missing)}"
        if self.flash and needs.flash > self.flash:
            return f"has {self.flash} bytes of flash"
        if needs.lua is not None and self.lua not in (None, needs.lua):
            return f"has Lua {self.lua}"
        return None
