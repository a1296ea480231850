"""Settings of `wifi.sta` and `wifi.ap` as they are given and returned. No `repr` here shows a password."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Required, TypedDict

#: Called with what happened, a dict; see `bridge.mirror.modules.wifi_eventmon`.
EventHandler = Callable[[dict[str, Any]], Any]


class StationOptions(TypedDict, total=False):
    """What `wifi.sta.config` takes."""

    ssid: Required[str | bytes]
    """0 to 32 bytes."""
    pwd: str | bytes
    """0 to 64 bytes; none for an open network."""
    auto: bool
    """Connect now and after each start; so if missing."""
    bssid: str
    """Of the only access point to connect to: "AA:BB:CC:DD:EE:FF"."""
    save: bool
    """Keep it in the flash; so if missing."""
    connect_cb: EventHandler
    disconnect_cb: EventHandler
    authmode_change_cb: EventHandler
    got_ip_cb: EventHandler
    dhcp_timeout_cb: EventHandler


class AccessPointOptions(TypedDict, total=False):
    """What `wifi.ap.config` takes."""

    ssid: Required[str | bytes]
    """1 to 32 bytes."""
    pwd: str | bytes
    """8 to 64 bytes; missing for an open network."""
    auth: int
    """`wifi.OPEN` and so on."""
    channel: int
    """1 to 13; 6 if missing."""
    hidden: bool
    max: int
    """Clients at once, 1 to 4."""
    beacon: int
    """Interval of the beacon, 100 to 60 000 (units of 1.024 ms)."""
    save: bool
    """Keep it in the flash; so if missing."""
    staconnected_cb: EventHandler
    stadisconnected_cb: EventHandler
    probereq_cb: EventHandler


class Addresses(TypedDict, total=False):
    """What `setip` takes."""

    ip: str
    netmask: str
    gateway: str


class Country(TypedDict, total=False):
    """What `wifi.setcountry` takes and `wifi.getcountry` returns."""

    country: str
    """Two letters."""
    start_ch: int
    end_ch: int
    policy: int
    """`wifi.COUNTRY_AUTO` or `wifi.COUNTRY_MANUAL`."""


@dataclass(frozen=True)
class StationConfig:
    """The network that the station joins: `wifi.sta.getconfig(True)`."""

    ssid: str
    pwd: str | None = field(repr=False)
    """None for an open network."""
    bssid_set: bool
    """Only the access point with this BSSID counts."""
    bssid: str


class StationTuple(NamedTuple):
    """The same as `wifi.sta.getconfig()` returns it: in the old format."""

    ssid: str
    password: str
    """"" for an open network."""
    bssid_set: int
    bssid: str

    def __repr__(self) -> str:
        return f"StationTuple(ssid={self.ssid!r}, bssid_set={self.bssid_set}, bssid={self.bssid!r})"


@dataclass(frozen=True)
class StoredAccessPoint:
    """A network that the station remembers: `wifi.sta.getapinfo()`."""

    ssid: str
    pwd: str | None = field(repr=False)
    bssid: str | None


@dataclass(frozen=True)
class AccessPointConfig:
    """The board's own network: `wifi.ap.getconfig(True)`."""

    ssid: str
    pwd: str | None = field(repr=False)
    """None for an open network."""
    auth: int
    channel: int
    hidden: bool
    max: int
    beacon: int


class AccessPointTuple(NamedTuple):
    """The same as `wifi.ap.getconfig()` returns it: in the old format."""

    ssid: str
    password: str | None
    """None for an open network."""

    def __repr__(self) -> str:
        return f"AccessPointTuple(ssid={self.ssid!r})"
