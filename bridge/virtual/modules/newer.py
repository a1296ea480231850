"""What the modules of release 3.0.0 have and those of 2.2.1 have not, by the tables in app/modules of both.

What 2.2.1 had besides and 3.0.0 has not (crypto.toHex and crypto.toBase64, older forms of wifi.sta.config) is not here:
a virtual board with firmware=2.2.1 has the functions that both have.
"""

from __future__ import annotations

import dataclasses

from bridge.virtual.lua.api import Module

NEWER = {
    "file": {"getcontents", "putcontents"},
    "net": {"ifinfo", "ping"},
    "node": {
        "LFS", "flashreload", "flashindex", "getpartitiontable", "setonerror", "setpartitiontable", "startup",
        "startupcommand",
    },
    "ow": {"set_timings"},
    "tmr": {"ccount"},
    "uart": {"DIR_RX", "DIR_TX", "fifodepth"},
}  # fmt: skip


def without_newer(module: Module) -> Module:
    """The module as 2.2.1 has it."""
    newer = NEWER.get(module.name, set())
    return dataclasses.replace(
        module, entries={name: entry for name, entry in module.entries.items() if name not in newer}
    )
