"""The firmware's modules: by name, a function that builds the module for one boot."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping

from bridge.virtual.lua.api import Module
from bridge.virtual.sdk.kernel import Kernel

#: Modules that the virtual board has; each is the file of its name in this folder and has `build(kernel)`.
NAMES = (
    "adc", "bit", "crypto", "encoder", "file", "gpio", "net", "node", "ow", "pipe", "sjson", "struct", "tmr", "uart",
    "wifi",
)  # fmt: skip


def _builders() -> Mapping[str, Callable[[Kernel], Module]]:
    found: dict[str, Callable[[Kernel], Module]] = {}
    for name in NAMES:
        try:
            found[name] = importlib.import_module(f"bridge.virtual.modules.{name}").build
        except ModuleNotFoundError as missing:
            if missing.name != f"bridge.virtual.modules.{name}":
                raise
    return found


BUILDERS: Mapping[str, Callable[[Kernel], Module]] = _builders()
