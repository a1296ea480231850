"""The firmware's modules: by name, a function that builds the module for one boot."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping

from bridge.virtual.lua.api import Module
from bridge.virtual.sdk.kernel import Kernel

#: Modules that the virtual board has; each is the file of its name in this folder and has `build(kernel)`.
NAMES = (
    "adc", "bit", "crypto", "encoder", "file", "gpio", "net", "node", "ow", "pipe", "sjson", "struct", "tls", "tmr",
    "uart", "wifi",
)  # fmt: skip

BUILDERS: Mapping[str, Callable[[Kernel], Module]] = {
    name: importlib.import_module(f"bridge.virtual.modules.{name}").build for name in NAMES
}
