"""Stand-in."""
from __future__ import annotations
import asyncio, time
from dataclasses import dataclass, field
from bridge.opening import open_board
from bridge.board import Board
from bridge.errors import BridgeError
from bridge.ports.open import check_options

class NoPlace(BridgeError): ...
class PlaceBusy(BridgeError): ...
class LeaseLost(BridgeError): ...

@dataclass(frozen=True)
class Needs:
    modules: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    flash: int = 0
    place: str | None = None
    lua: str | None = None

@dataclass(frozen=True)
class Place:
    name: str
    port: str
    mac: str | None = None

class Lease:
    def __init__(self, rack, place): self.place=place; self.url=place.port; self.since=time.time(); self.generation=1; self._rack=rack
    async def open_board(self, **options) -> Board:
        return await open_board(self.url, **options)
    def check(self): pass
    async def release(self): self._rack._free.append(self.place)

class Rack:
    def __init__(self, places): self.places=tuple(places); self._free=list(places)
    @classmethod
    def of_ports(cls, urls):
        for u in urls: check_options(u)
        return cls([Place(f"board-{i}", u) for i,u in enumerate(urls,1)])
    async def claim(self, needs=Needs(), *, purpose="", timeout=None):
        if needs.tags: raise NoPlace(f"No place of the rack has the tags {', '.join(sorted(needs.tags))}")
        for p in self._free:
            if needs.place in (None, p.name):
                self._free.remove(p); return Lease(self, p)
        raise PlaceBusy("All places are held")
    async def claim_many(self, count, needs=Needs(), **k):
        return [await self.claim(needs) for _ in range(count)]
