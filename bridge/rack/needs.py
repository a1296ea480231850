"""What somebody needs of a board, and how far a place promises it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bridge.rack.model import Place


@dataclass(frozen=True)
class Needs:
    """What a board must have."""

    modules: frozenset[str] = frozenset()
    """Modules of its firmware."""
    tags: frozenset[str] = frozenset()
    flash: int = 0
    """Bytes of flash, at least; 0 for any."""
    place: str | None = None
    """The name of the very place."""
    lua: str | None = None
    """Version of Lua, as "5.1"."""
    avoid: frozenset[str] = frozenset()
    """Names of places that will not do."""

    def missing(self, place: Place) -> list[str]:
        """What a place does not promise, in words. What it says nothing of counts as promised."""
        promised = place.capabilities
        lacks = []
        if self.place is not None and place.name != self.place:
            lacks.append(f"is not {self.place}")
        if place.name in self.avoid:
            lacks.append("is to be avoided")
        if tags := sorted(self.tags - {*place.tags}):
            lacks.append(f"lacks the tag {', '.join(tags)}")
        if promised.modules is not None and (modules := sorted(self.modules - {*promised.modules})):
            lacks.append(f"lacks the module {', '.join(modules)}")
        if promised.flash is not None and promised.flash < self.flash:
            lacks.append(f"has {promised.flash} bytes of flash, not {self.flash}")
        if self.lua is not None and promised.lua is not None and promised.lua != self.lua:
            lacks.append(f"has Lua {promised.lua}, not {self.lua}")
        return lacks

    def fitting(self, places: Iterable[Place]) -> list[Place]:
        """The places that promise it, those that promise least besides first: the others are left to who needs more."""
        fitting = [place for place in places if not self.missing(place)]
        return sorted(fitting, key=lambda place: len(place.tags) + len(place.capabilities.modules or ()))

    def __str__(self) -> str:
        parts = [f"module {name}" for name in sorted(self.modules)] + [f"tag {tag}" for tag in sorted(self.tags)]
        if self.flash:
            parts.append(f"{self.flash} bytes of flash")
        if self.lua is not None:
            parts.append(f"Lua {self.lua}")
        if self.place is not None:
            parts.append(f"place {self.place}")
        return ", ".join(parts) or "any board"
