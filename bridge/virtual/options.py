"""Options of a virtual board, the same for `virtual:?key=value` URLs and for the flags of `nodemcu-bridge virtual`."""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from bridge.errors import UsageError

#: `Default module set` of app/include/user_modules.h, plus what the bridge's users build in.
STOCK_MODULES = "adc,bit,dht,file,gpio,i2c,mqtt,net,node,ow,spi,tmr,uart,wifi"
#: Modules of the recorded build (tests/ground_truth), and those the recorder lacked.
DEFAULT_MODULES = "adc,bit,crypto,encoder,file,gpio,net,node,ow,pipe,sjson,struct,tmr,uart,wifi"


@dataclass(frozen=True)
class VirtualOptions:
    """How a virtual board is made. Times in milliseconds where the name says so, sizes in bytes."""

    lua: str = "5.1"
    modules: str = DEFAULT_MODULES
    number: str = "float"
    ssl: bool = False
    baud_pacing: bool = True
    adapter_latency_ms: float = 1.0
    cpu: float = 1.0
    heap: int = 44_600
    flash_size: int = 4 * 1024 * 1024
    flash_file: str | None = None
    blank: bool = False
    echo: bool = True
    clock: str = "wall"
    network: str = "host"
    address: str | None = None
    gateway: str | None = None
    dns: str | None = None
    hosts: str | None = None
    mac: str | None = None
    wifi: str = "up"
    seed: int = 0
    drop: float = 0.0
    flip: float = 0.0
    duplicate: float = 0.0
    delay: float = 0.0
    reset_after_s: float = 0.0
    calibration: str | None = None

    def __post_init__(self) -> None:
        if self.lua not in ("5.1", "5.3"):
            raise UsageError(f"lua={self.lua} is not a Lua version of NodeMCU", remedy="Use lua=5.1 or lua=5.3.")
        if self.clock not in ("wall", "virtual"):
            raise UsageError(f"clock={self.clock} is not a clock", remedy="Use clock=wall or clock=virtual.")
        if self.network not in ("host", "memory"):
            raise UsageError(f"network={self.network} is not a network", remedy="Use network=host or network=memory.")
        for name in ("drop", "flip", "duplicate", "delay"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(f"{name}={getattr(self, name)} is not a share of bytes", remedy="Use 0 to below 1.")

    @property
    def module_names(self) -> tuple[str, ...]:
        """The modules of a freshly made board's firmware, sorted as in user_modules.h."""
        return tuple(sorted(name.strip() for name in self.modules.split(",") if name.strip()))


def parse_url(url: str) -> VirtualOptions:
    """Read `virtual:?lua=5.3&cpu=0&…`.

    Raises:
        UsageError: an unknown option or a value that does not fit it; names both.
    """
    parts = urlsplit(url)
    if parts.scheme != "virtual" or parts.netloc or parts.path not in ("", "/"):
        raise UsageError(f"{url} is not a virtual board's URL", remedy="Write virtual: or virtual:?option=value&…")
    known = {field.name for field in dataclasses.fields(VirtualOptions)}
    values: dict[str, object] = {}
    for key, text in parse_qsl(parts.query, keep_blank_values=True):
        name = key.replace("-", "_")
        if name not in known:
            raise UsageError(
                f"{url}: {key} is not an option of a virtual board", remedy=f"Known: {', '.join(sorted(known))}."
            )
        values[name] = convert(name, text)
    return VirtualOptions(**values)  # type: ignore[arg-type]


def convert(name: str, text: str) -> object:
    """An option's value from its text.

    Raises:
        UsageError: the text does not fit the option's type.
    """
    kind = typing.get_type_hints(VirtualOptions)[name]
    if isinstance(kind, types.UnionType):
        kind = next(k for k in typing.get_args(kind) if k is not type(None))
    try:
        if kind is bool:
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[text.lower()]
        return kind(text)
    except (ValueError, KeyError):
        raise UsageError(f"{name}={text} does not read as {kind.__name__}") from None
