"""`wifi.ap` (app/modules/wifi.c): the settings of the board's own access point. Nobody ever connects to it."""

from __future__ import annotations

from functools import partial
from typing import Any

from bridge.virtual.lua.api import Args, ArgumentFault, LuaFault, Module, Value
from bridge.virtual.lwip.address import ANY, NONE, dotted, from_dotted, parse_or_none
from bridge.virtual.lwip.station import Event, Station, mac_text
from bridge.virtual.lwip.station_settings import SOFTAP_MODE, STATION_MODE, AccessPointConfig
from bridge.virtual.modules.wifi_eventmon import EventMonitor
from bridge.virtual.modules.wifi_table import ConfigTable, check_mac, is_table, string_of
from bridge.virtual.sdk.kernel import Kernel

_WPA_WPA2_PSK = 4
_CALLBACKS = (
    ("staconnected_cb", Event.AP_STACONNECTED),
    ("stadisconnected_cb", Event.AP_STADISCONNECTED),
    ("probereq_cb", Event.AP_PROBEREQRECVED),
)


def build_access_point(kernel: Kernel, monitor: EventMonitor) -> Module:
    """The table `wifi.ap`."""
    return Module("ap", _Functions(kernel, monitor).table())


class _Functions:
    def __init__(self, kernel: Kernel, monitor: EventMonitor) -> None:
        self._kernel = kernel
        self._monitor = monitor
        self._addresses = [from_dotted(ip) for ip in ("192.168.4.1", "255.255.255.0", "192.168.4.1")]

    @property
    def _station(self) -> Station:
        return self._kernel.network.station

    def table(self) -> dict[str, Any]:
        return {
            "config": self.config,
            "deauth": self.deauth,
            "getip": self.getip,
            "setip": self.setip,
            "getbroadcast": self.getbroadcast,
            "getmac": lambda arguments: mac_text(self._station.access_point_mac),
            "setmac": self.setmac,
            "getclient": self.getclient,
            "getconfig": lambda arguments: self._config(arguments, self._station.current.access_point),
            "getdefaultconfig": lambda arguments: self._config(arguments, self._station.settings.access_point),
            "dhcp": Module(
                "dhcp",
                {"config": self.dhcp_config, "start": self._is_on, "stop": self._is_on},
            ),
        }

    def _is_on(self, _arguments: Args) -> Value:
        return bool(self._station.mode & SOFTAP_MODE)

    def config(self, arguments: Args) -> Value:
        arguments.check_table(1)
        table = ConfigTable(self._kernel, arguments)
        ssid = table.string("ssid", 1, 32, "ssid: length:1-32", "ssid: not string")
        if ssid is None:
            raise ArgumentFault(1, "ssid: required")
        password = table.string("pwd", 8, 64, "pwd: length:0 or 8-64", "pwd: not string")
        auth = table.number("auth", 0, 4, _WPA_WPA2_PSK if password else 0, "auth: Range:0-4", "auth: not number")
        channel = table.number("channel", 1, 13, 6, "channel: Range:1-13", "channel: not number")
        hidden = table.get("hidden")
        if isinstance(hidden, bool) or hidden is None:
            hidden = int(bool(hidden))
        elif not isinstance(hidden, int | float):
            raise ArgumentFault(1, "hidden: not boolean")
        elif hidden not in (0, 1):
            raise ArgumentFault(1, "hidden: 0 or 1")
        most = table.number("max", 1, 4, 4, "max: 1-4", "max: not number")
        beacon = table.number("beacon", 100, 60000, 100, "beacon: 100-60000", "beacon: not number")
        keep = table.boolean("save", True, "save: not boolean")
        for name, event in _CALLBACKS:
            table.callback(name, partial(self._monitor.set, event), f"{name}:not function")
        config = AccessPointConfig(ssid, password or b"", auth, channel, int(hidden), most, beacon)
        if not self._station.mode & SOFTAP_MODE:
            return False
        self._station.change(keep=keep, access_point=config)
        return True

    def _config(self, arguments: Args, config: AccessPointConfig) -> Value:
        ssid = config.ssid or b"ESP_%02X%02X%02X" % tuple(self._station.access_point_mac[3:])
        if arguments.get(1) is not True:
            return ssid, config.password if config.auth else None
        fields: dict[str, Value] = {"ssid": ssid}
        if config.auth:
            fields["pwd"] = config.password
        fields.update(
            auth=config.auth, channel=config.channel, hidden=bool(config.hidden), max=config.most, beacon=config.beacon
        )
        return self._kernel.lua.table(fields)

    def deauth(self, arguments: Args) -> Value:
        if arguments.is_string(1):
            check_mac(arguments, 1)
        return bool(self._station.mode & SOFTAP_MODE)

    def getip(self, _arguments: Args) -> Value:
        if not self._station.mode & SOFTAP_MODE:
            return (None,)
        return tuple(dotted(ip).encode() for ip in self._addresses)

    def getbroadcast(self, _arguments: Args) -> Value:
        if not self._station.mode & SOFTAP_MODE:
            return (None,)
        address, netmask, _ = self._addresses
        return dotted(address & netmask | ~netmask & NONE).encode()

    def setip(self, arguments: Args) -> Value:
        if not is_table(arguments, 1):
            raise LuaFault("wrong arg type")
        addresses = [self._address(arguments, name) for name in ("ip", "netmask", "gateway")]
        self._addresses = [
            addresses[0] or self._addresses[0],
            addresses[1] or self._addresses[1],
            addresses[2],
        ]
        return bool(self._station.mode & SOFTAP_MODE)

    def _address(self, arguments: Args, name: str) -> int:
        text = string_of(self._kernel.lua.get(arguments.get(1), name))
        return ANY if text is None else parse_or_none(text)

    def setmac(self, arguments: Args) -> Value:
        mac = check_mac(arguments, 1)
        if not self._station.mode & SOFTAP_MODE or mac[0] & 1:
            return False
        self._station.access_point_mac = mac
        return True

    def getclient(self, _arguments: Args) -> Value:
        if self._station.mode == STATION_MODE:
            raise LuaFault("Can't list clients in STATION mode")
        return self._kernel.lua.table({})

    def dhcp_config(self, arguments: Args) -> Value:
        start = self._address(arguments, "start") if is_table(arguments, 1) else ANY
        if start == ANY:
            raise LuaFault("wrong arg type")
        last = start & 0xFFFFFF00 | (start + self._station.current.access_point.most - 1) & 0xFF
        return dotted(start).encode(), dotted(last).encode()
