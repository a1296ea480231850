"""The module `wifi` without `await`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar, cast, overload

from bridge.mirror.modules import wifi as _wifi
from bridge.mirror.modules import wifi_access_point as _access_point
from bridge.mirror.modules import wifi_eventmon as _eventmon
from bridge.mirror.modules import wifi_interface as _interface
from bridge.mirror.modules import wifi_station as _station
from bridge.mirror.modules.wifi_access_point import Pool
from bridge.mirror.modules.wifi_config import (
    AccessPointConfig,
    AccessPointOptions,
    AccessPointTuple,
    Addresses,
    Country,
    EventHandler,
    StationConfig,
    StationOptions,
    StationTuple,
    StoredAccessPoint,
)
from bridge.mirror.modules.wifi_scan import AccessPoint
from bridge.portal import portal
from bridge.sync.face import to_handler

Settings = TypeVar("Settings", StationOptions, AccessPointOptions)


def _settings(config: Settings) -> Settings:
    """Settings with handlers that run on the callback thread."""
    if not isinstance(config, dict):
        return config  # refused there
    found = {name: to_handler(value) if callable(value) else value for name, value in config.items()}
    return cast(Settings, found)


class EventMonitor(_eventmon.EventConstants):
    """`wifi.eventmon`; see `bridge.mirror.modules.wifi_eventmon.EventMonitor`."""

    def __init__(self, monitor: _eventmon.EventMonitor) -> None:
        self._monitor = monitor

    def register(self, Event: int, function: EventHandler | None = None) -> None:
        """Set who is told of an event; replaces the handler before."""
        portal().call(self._monitor.register(Event, to_handler(function)))

    def unregister(self, Event: int) -> None:
        """Remove the handler of an event."""
        portal().call(self._monitor.unregister(Event))


class Interface:
    """What `wifi.sta` and `wifi.ap` have in common; see `bridge.mirror.modules.wifi_interface.Interface`."""

    def __init__(self, interface: _interface.Interface) -> None:
        self._interface = interface

    def getip(self) -> tuple[str, str, str] | None:
        """(address, netmask, gateway), or None."""
        return portal().call(self._interface.getip())

    def setip(self, cfg: Addresses) -> bool:
        """Set address, netmask and gateway."""
        return portal().call(self._interface.setip(cfg))

    def getbroadcast(self) -> str | None:
        """Broadcast address, or None."""
        return portal().call(self._interface.getbroadcast())

    def getmac(self) -> str:
        """MAC address, as "18:fe:34:a2:d7:34"."""
        return portal().call(self._interface.getmac())

    def setmac(self, mac: str) -> bool:
        """Set the MAC address until the next start. False if the chip refuses it."""
        return portal().call(self._interface.setmac(mac))


class Station(Interface):
    """`wifi.sta`; see `bridge.mirror.modules.wifi_station.Station`."""

    def __init__(self, station: _station.Station) -> None:
        super().__init__(station)
        self._station = station

    def config(self, station_config: StationOptions) -> bool:
        """Say which network to join; the station leaves the one it is in."""
        return portal().call(self._station.config(_settings(station_config)))

    def clearconfig(self) -> bool:
        """Forget the network, also in the flash, and leave it."""
        return portal().call(self._station.clearconfig())

    def connect(self, connected_cb: EventHandler | None = None) -> None:
        """Join the network that is configured; ends at once."""
        portal().call(self._station.connect(to_handler(connected_cb)))

    def disconnect(self, disconnected_cb: EventHandler | None = None) -> None:
        """Leave the network; ends at once."""
        portal().call(self._station.disconnect(to_handler(disconnected_cb)))

    def autoconnect(self, auto: int) -> None:
        """Join the network by itself after each start (1) or not (0)."""
        portal().call(self._station.autoconnect(auto))

    def status(self) -> int:
        """`wifi.STA_IDLE`, `STA_CONNECTING`, `STA_WRONGPWD`, `STA_APNOTFOUND`, `STA_FAIL` or `STA_GOTIP`."""
        return portal().call(self._station.status())

    @overload
    def getconfig(self, return_table: Literal[False] = False) -> StationTuple: ...
    @overload
    def getconfig(self, return_table: Literal[True]) -> StationConfig: ...
    @overload
    def getconfig(self, return_table: bool) -> StationConfig | StationTuple: ...
    def getconfig(self, return_table: bool = False) -> StationConfig | StationTuple:
        """The network that is configured."""
        return portal().call(self._station.getconfig(return_table))

    @overload
    def getdefaultconfig(self, return_table: Literal[False] = False) -> StationTuple: ...
    @overload
    def getdefaultconfig(self, return_table: Literal[True]) -> StationConfig: ...
    @overload
    def getdefaultconfig(self, return_table: bool) -> StationConfig | StationTuple: ...
    def getdefaultconfig(self, return_table: bool = False) -> StationConfig | StationTuple:
        """The network that is configured in the flash; as `getconfig`."""
        return portal().call(self._station.getdefaultconfig(return_table))

    def getapinfo(self) -> dict[int, StoredAccessPoint]:
        """The networks that are remembered, by their index from 1 on. (Stock's field `qty` is the length.)"""
        return portal().call(self._station.getapinfo())

    def getapindex(self) -> int:
        """Index of the network in use among those of `getapinfo`, from 1 on."""
        return portal().call(self._station.getapindex())

    def changeap(self, ap_index: int) -> bool:
        """Change to another of the networks that are remembered."""
        return portal().call(self._station.changeap(ap_index))

    def setaplimit(self, qty: int) -> bool:
        """Say how many networks are remembered in the flash, 1 to 5; in force after a restart."""
        return portal().call(self._station.setaplimit(qty))

    def getap(
        self,
        cfg: dict[str, Any] | int | Callable[..., Any] | None = None,
        format: int | Callable[..., Any] | None = None,
        callback: Callable[..., Any] | None = None,
    ) -> dict[str, AccessPoint] | None:
        """Look for networks; it takes about 2 s."""
        given: Any = [to_handler(value) if callable(value) else value for value in (cfg, format, callback)]
        return portal().call(self._station.getap(*given))

    def gethostname(self) -> str:
        """The name that the station gives at DHCP."""
        return portal().call(self._station.gethostname())

    def sethostname(self, hostname: str) -> bool:
        """Set that name: 1 to 32 letters, digits and "-", which neither begins nor ends it."""
        return portal().call(self._station.sethostname(hostname))

    def getrssi(self) -> int | None:
        """Strength of the access point's signal in dBm, or None when not connected."""
        return portal().call(self._station.getrssi())

    def sleeptype(self, type_wanted: int | None = None) -> int:
        """As `wifi.sleeptype`."""
        return portal().call(self._station.sleeptype(type_wanted))


class DHCP:
    """`wifi.ap.dhcp`; see `bridge.mirror.modules.wifi_access_point.DHCP`."""

    def __init__(self, dhcp: _access_point.DHCP) -> None:
        self._dhcp = dhcp

    def config(self, dhcp_config: Pool) -> tuple[str, str]:
        """Set the addresses that clients get: as many as there may be clients."""
        return portal().call(self._dhcp.config(dhcp_config))

    def start(self) -> bool:
        """Give addresses. False if the chip does not, for example as a station only."""
        return portal().call(self._dhcp.start())

    def stop(self) -> bool:
        """Give no addresses."""
        return portal().call(self._dhcp.stop())


class AccessPointFace(Interface):
    """`wifi.ap`; see `bridge.mirror.modules.wifi_access_point.AccessPointFace`."""

    def __init__(self, ap: _access_point.AccessPointFace) -> None:
        super().__init__(ap)
        self._ap = ap
        self.dhcp = DHCP(ap.dhcp)

    def config(self, cfg: AccessPointOptions) -> bool:
        """Set the network up. Passwords are in no log, trace or error of this package."""
        return portal().call(self._ap.config(_settings(cfg)))

    def deauth(self, MAC: str | None = None) -> bool:
        """Throw a client out; None is all of them. False as a station only."""
        return portal().call(self._ap.deauth(MAC))

    def getclient(self) -> dict[str, str]:
        """Address of each client, by its MAC address."""
        return portal().call(self._ap.getclient())

    @overload
    def getconfig(self, return_table: Literal[False] = False) -> AccessPointTuple: ...
    @overload
    def getconfig(self, return_table: Literal[True]) -> AccessPointConfig: ...
    @overload
    def getconfig(self, return_table: bool) -> AccessPointConfig | AccessPointTuple: ...
    def getconfig(self, return_table: bool = False) -> AccessPointConfig | AccessPointTuple:
        """The settings."""
        return portal().call(self._ap.getconfig(return_table))

    @overload
    def getdefaultconfig(self, return_table: Literal[False] = False) -> AccessPointTuple: ...
    @overload
    def getdefaultconfig(self, return_table: Literal[True]) -> AccessPointConfig: ...
    @overload
    def getdefaultconfig(self, return_table: bool) -> AccessPointConfig | AccessPointTuple: ...
    def getdefaultconfig(self, return_table: bool = False) -> AccessPointConfig | AccessPointTuple:
        """The settings in the flash; as `getconfig`."""
        return portal().call(self._ap.getdefaultconfig(return_table))


class Wifi(_wifi.WifiConstants):
    """The module `wifi`; see `bridge.mirror.modules.wifi.Wifi`."""

    def __init__(self, wifi: _wifi.Wifi) -> None:
        self._wifi = wifi
        self.sta = Station(wifi.sta)
        self.ap = AccessPointFace(wifi.ap)
        self.eventmon = EventMonitor(wifi.eventmon)

    def setmode(self, mode: int, save: bool | None = None) -> int:
        """Set what the radio does."""
        return portal().call(self._wifi.setmode(mode, save))

    def getmode(self) -> int:
        """The mode."""
        return portal().call(self._wifi.getmode())

    def getdefaultmode(self) -> int:
        """The mode in the flash."""
        return portal().call(self._wifi.getdefaultmode())

    def getchannel(self) -> int:
        """The channel, 1 to 14."""
        return portal().call(self._wifi.getchannel())

    def getcountry(self) -> Country:
        """Which channels may be used."""
        return portal().call(self._wifi.getcountry())

    def setcountry(self, country_info: Country) -> bool:
        """Say which channels may be used. What is missing becomes what it is by default: {} sets all back."""
        return portal().call(self._wifi.setcountry(country_info))

    def getphymode(self) -> int:
        """`PHYMODE_B`, `PHYMODE_G` or `PHYMODE_N`: 802.11b, g or n."""
        return portal().call(self._wifi.getphymode())

    def setphymode(self, mode: int) -> int:
        """Set that; an access point knows no `PHYMODE_N`. Returns what it is then."""
        return portal().call(self._wifi.setphymode(mode))

    def setmaxtxpower(self, max_tpw: int) -> None:
        """Limit the power of the radio until the next start."""
        portal().call(self._wifi.setmaxtxpower(max_tpw))

    def nullmodesleep(self, enable: bool | None = None) -> bool:
        """Set or read whether the radio sleeps in `NULLMODE`; until the next start."""
        return portal().call(self._wifi.nullmodesleep(enable))

    def sleeptype(self, type_wanted: int | None = None) -> int:
        """Set or read how the radio of a station saves power."""
        return portal().call(self._wifi.sleeptype(type_wanted))
