"""The Wi-Fi station: associates with the access point, gets addresses, reports events.

Nothing of this was recorded; it follows app/modules/wifi.c and the SDK's documentation. Times are those commonly
seen on boards. What is in the air is the board's option `wifi`:

- `up`: one access point that takes any name and password; the board is associated from boot on;
- `down`: as `up`, but the access point is switched off: it is never found;
- `off`: the same, and the station was never configured;
- `SSID` or `SSID:PASSWORD`: this access point and no other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Protocol

from bridge.virtual.lwip import station_settings
from bridge.virtual.lwip.address import ANY, dotted
from bridge.virtual.lwip.interface import Interface, Site
from bridge.virtual.lwip.station_settings import STATION_MODE, Settings, StationConfig
from bridge.virtual.sdk.kernel import Kernel, Timer

#: Seconds: a scan of all channels; association; DHCP; until a wrong password shows.
SCAN_S = 2.0
ASSOCIATE_S = 0.8
DHCP_S = 0.6
WRONG_PASSWORD_S = 3.0

_DEFAULT_SSID = b"virtual"
_BSSID = b"\x02\x00\x5e\x10\x00\x01"
_CHANNEL = 6
_RSSI = -51


class Status(IntEnum):
    """`wifi_station_get_connect_status`."""

    IDLE = 0
    CONNECTING = 1
    WRONG_PASSWORD = 2
    NO_AP_FOUND = 3
    FAIL = 4
    GOT_IP = 5


class Event(IntEnum):
    """SDK events (user_interface.h)."""

    CONNECTED = 0
    DISCONNECTED = 1
    AUTHMODE_CHANGE = 2
    GOT_IP = 3
    DHCP_TIMEOUT = 4
    AP_STACONNECTED = 5
    AP_STADISCONNECTED = 6
    AP_PROBEREQRECVED = 7
    OPMODE_CHANGED = 8


class Reason(IntEnum):
    """Why a station was disconnected (those that can happen here)."""

    ASSOC_LEAVE = 8
    BEACON_TIMEOUT = 200
    NO_AP_FOUND = 201
    AUTH_FAIL = 202


@dataclass(frozen=True)
class AccessPoint:
    """What is in the air. Empty name and password None: anything is taken."""

    ssid: bytes = b""
    password: bytes | None = None
    present: bool = True
    bssid: bytes = _BSSID
    channel: int = _CHANNEL
    rssi: int = _RSSI

    @property
    def shown_ssid(self) -> bytes:
        return self.ssid or _DEFAULT_SSID

    @property
    def auth(self) -> int:
        """AUTH_WPA2_PSK, or AUTH_OPEN without a password."""
        return 0 if self.password == b"" else 3


class Network(Protocol):
    """The part of the stack that a station brings up and down."""

    site: Site
    interface: Interface

    def bring_up(self, address: int, netmask: int, gateway: int, dns: int = ANY, dhcp_server: int = ANY) -> None: ...

    def bring_down(self) -> None: ...


Listener = Callable[[Event, dict[str, object]], None]


@dataclass
class _Static:
    """Addresses set by hand, which switch DHCP off."""

    address: int = ANY
    netmask: int = ANY
    gateway: int = ANY


@dataclass
class Station:
    """The station of one boot.

    Args:
        kernel: time and flash.
        network: brought up and down.
    """

    kernel: Kernel
    network: Network
    settings: Settings = field(init=False)
    status: Status = Status.IDLE
    static: _Static | None = None

    def __post_init__(self) -> None:
        option = self.kernel.options.wifi
        self.air = read_option(option)
        saved = station_settings.load(self.kernel.flash)
        if saved is None:
            name = b"" if option == "off" else self.air.shown_ssid
            saved = Settings(station=StationConfig(name, self.air.password or b"", None))
            if option not in ("up", "down"):
                saved = replace(saved, station=StationConfig())
        self.settings = saved
        #: The settings of now may differ from the saved ones.
        self.current = saved
        self.mac = self.network.site.mac
        self.access_point_mac = bytes([self.mac[0] ^ 2]) + self.mac[1:]
        self.hostname = b"NODE-%02X%02X%02X" % tuple(self.mac[3:])
        self.listener: Listener = lambda event, details: None
        self._timer: Timer | None = None
        if self.current.mode & STATION_MODE and self.current.auto_connect and self.current.station.ssid:
            if option == "up":
                self._addresses(report=False)
            else:
                self.connect()

    # --- what the module asks for ---

    @property
    def mode(self) -> int:
        return self.current.mode

    def save(self, **changes: object) -> None:
        """Change settings now and for later boots."""
        self.current = replace(self.current, **changes)  # type: ignore[arg-type]
        saved = replace(self.settings, **changes)  # type: ignore[arg-type]
        if saved != self.settings:
            self.settings = saved
            self.kernel.cpu.busy(station_settings.save(self.kernel.flash, saved) * self.kernel.flash.factor)

    def change(self, *, keep: bool, **changes: object) -> None:
        """Change settings; only until the restart unless `keep`."""
        if keep:
            self.save(**changes)
        else:
            self.current = replace(self.current, **changes)  # type: ignore[arg-type]

    def set_mode(self, mode: int, *, keep: bool) -> None:
        """Station, access point, both, or neither."""
        old = self.current.mode
        self.change(keep=keep, mode=mode)
        if mode == old:
            return
        self.listener(Event.OPMODE_CHANGED, {"old_mode": old, "new_mode": mode})
        if not mode & STATION_MODE:
            self.disconnect()
        elif not old & STATION_MODE and self.current.auto_connect:
            self.connect()

    def configure(self, config: StationConfig, *, keep: bool, auto: bool) -> None:
        """As `wifi.sta.config`: leave the old network, and join the new one if `auto`."""
        self.disconnect()
        self.change(keep=keep, station=config)
        self.save(auto_connect=auto)
        if auto:
            self.connect()

    def connect(self) -> None:
        """Start to associate with the configured network; does nothing while that is so or under way."""
        if not self.current.mode & STATION_MODE or self.status is Status.GOT_IP or self._timer is not None:
            return
        if not self.current.station.ssid:
            return
        self.status = Status.CONNECTING
        self._try()

    def disconnect(self) -> None:
        """Leave the network, or stop trying."""
        was = self.status
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.status = Status.IDLE
        self.network.bring_down()
        if was is Status.GOT_IP:
            self._disconnected(Reason.ASSOC_LEAVE)

    def lose(self) -> None:
        """The access point went away (a fault of the tests): the station notices and keeps trying."""
        self.air = replace(self.air, present=False)
        if self.status is Status.GOT_IP:
            self.status = Status.CONNECTING
            self.network.bring_down()
            self._disconnected(Reason.BEACON_TIMEOUT)
            self._try()

    def come_back(self) -> None:
        """The access point is there again; the station finds it at its next try."""
        self.air = replace(self.air, present=True)

    def set_addresses(self, address: int, netmask: int, gateway: int) -> None:
        """Addresses set by hand: from now on no DHCP."""
        self.static = _Static(address, netmask, gateway)
        if self.status is Status.GOT_IP:
            self._addresses(report=True)

    def scan(self, done: Callable[[list[AccessPoint]], None]) -> None:
        """Look for access points."""
        self.kernel.after(SCAN_S, lambda: done([self.air] if self.air.present else []))

    # --- inside ---

    def _try(self) -> None:
        config, air = self.current.station, self.air
        wrong_name = bool(air.ssid) and config.ssid != air.ssid
        wrong_point = config.bssid is not None and config.bssid != air.bssid
        if not air.present or wrong_name or wrong_point:
            self._timer = self.kernel.after(SCAN_S, lambda: self._failed(Status.NO_AP_FOUND, Reason.NO_AP_FOUND))
        elif air.password is not None and config.password != air.password:
            self._timer = self.kernel.after(
                WRONG_PASSWORD_S, lambda: self._failed(Status.WRONG_PASSWORD, Reason.AUTH_FAIL)
            )
        else:
            self._timer = self.kernel.after(ASSOCIATE_S, self._associated)

    def _failed(self, status: Status, reason: Reason) -> None:
        """Report, and try again: the SDK never gives up by itself."""
        self.status = status
        self._disconnected(reason)
        self._try()

    def _disconnected(self, reason: Reason) -> None:
        details = {"SSID": self.current.station.ssid, "reason": int(reason), "BSSID": mac_text(self.air.bssid)}
        self.listener(Event.DISCONNECTED, details)

    def _associated(self) -> None:
        details = {"SSID": self.current.station.ssid, "BSSID": mac_text(self.air.bssid), "channel": self.air.channel}
        self.listener(Event.CONNECTED, details)
        self._timer = self.kernel.after(0.01 if self.static else DHCP_S, lambda: self._addresses(report=True))

    def _addresses(self, *, report: bool) -> None:
        self._timer = None
        self.status = Status.GOT_IP
        site = self.network.site
        if self.static is not None:
            self.network.bring_up(self.static.address, self.static.netmask, self.static.gateway)
        else:
            self.network.bring_up(site.address, site.netmask, site.gateway, site.dns, site.gateway if report else ANY)
        interface = self.network.interface
        if report:
            texts = (dotted(ip).encode() for ip in (interface.address, interface.netmask, interface.gateway))
            self.listener(Event.GOT_IP, dict(zip(("IP", "netmask", "gateway"), texts, strict=True)))


def read_option(option: str) -> AccessPoint:
    """What is in the air for a value of the board's option `wifi`."""
    if option in ("up", "down", "off"):
        return AccessPoint(present=option == "up")
    ssid, colon, password = option.encode().partition(b":")
    return AccessPoint(ssid, password if colon else b"")


def mac_text(mac: bytes) -> bytes:
    """As the SDK's MACSTR writes it."""
    return mac.hex(":").encode()
