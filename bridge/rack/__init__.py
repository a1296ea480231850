"""Racks: boards that several processes and users share, by leases.

rack = Rack(load_rack(Path("rack.yaml")))
async with await rack.claim(Needs(modules=frozenset({"net"})), purpose="a test") as lease:
    board = await lease.open_board()
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.rack.lease import Lease
    from bridge.rack.load import load_rack
    from bridge.rack.model import Place, RackFile
    from bridge.rack.needs import Needs
    from bridge.rack.rack import Rack

__all__ = ["Lease", "Needs", "Place", "Rack", "RackFile", "load_rack"]

_HOMES = {
    "Lease": "bridge.rack.lease",
    "Needs": "bridge.rack.needs",
    "Place": "bridge.rack.model",
    "Rack": "bridge.rack.rack",
    "RackFile": "bridge.rack.model",
    "load_rack": "bridge.rack.load",
}


def __getattr__(name: str) -> object:
    # Imported when asked for: the keeper, which lives in this room, starts with little.
    import importlib

    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'bridge.rack' has no attribute {name!r}")
