"""`wifi.sta` (app/modules/wifi.c)."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from bridge.virtual.lua.api import Args, ArgumentFault, Builtin, LuaFault, Module, Value
from bridge.virtual.lwip.address import ANY, NONE, dotted, parse_or_none
from bridge.virtual.lwip.station import AccessPoint, Event, Station, Status, mac_text
from bridge.virtual.lwip.station_settings import STATION_MODE, StationConfig
from bridge.virtual.modules.wifi_eventmon import EventMonitor
from bridge.virtual.modules.wifi_table import ConfigTable, check_mac, is_table, read_mac, string_of
from bridge.virtual.sdk.kernel import Kernel

_SOFTAP_ONLY = 2
_HOSTNAME = re.compile(rb"[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?\Z")
_CALLBACKS = (
    ("connect_cb", Event.CONNECTED, "connect_cb:not function"),
    ("disconnect_cb", Event.DISCONNECTED, "disconnect_cb:not function"),
    ("authmode_change_cb", Event.AUTHMODE_CHANGE, "authmode_change_cb:not function"),
    ("got_ip_cb", Event.GOT_IP, "gotip_cb:not function"),
    ("dhcp_timeout_cb", Event.DHCP_TIMEOUT, "dhcp_timeout_cb:not function"),
)


def build_station(kernel: Kernel, monitor: EventMonitor, sleeptype: Builtin) -> Module:
    """The table `wifi.sta`."""
    return Module("sta", _Functions(kernel, monitor).table(sleeptype))


class _Functions:
    def __init__(self, kernel: Kernel, monitor: EventMonitor) -> None:
        self._kernel = kernel
        self._monitor = monitor
        self._scan_done: Value = None
        self._scan_form = 0

    @property
    def _station(self) -> Station:
        return self._kernel.network.station

    def table(self, sleeptype: Builtin) -> dict[str, Any]:
        return {
            "autoconnect": self.autoconnect,
            "changeap": self.changeap,
            "clearconfig": self.clearconfig,
            "config": self.config,
            "connect": self.connect,
            "disconnect": self.disconnect,
            "getap": self.getap,
            "getapindex": lambda arguments: 1,
            "getapinfo": self.getapinfo,
            "getbroadcast": self.getbroadcast,
            "getconfig": lambda arguments: self._config(arguments, self._station.current.station),
            "getdefaultconfig": lambda arguments: self._config(arguments, self._station.settings.station),
            "gethostname": lambda arguments: self._station.hostname,
            "getip": self.getip,
            "getmac": lambda arguments: mac_text(self._station.mac),
            "getrssi": self.getrssi,
            "setaplimit": self.setaplimit,
            "sethostname": self.sethostname,
            "setip": self.setip,
            "setmac": self.setmac,
            "sleeptype": sleeptype,
            "status": lambda arguments: int(self._station.status),
        }

    def autoconnect(self, arguments: Args) -> Any:
        auto = arguments.check_integer(1)
        if auto not in (0, 1):
            raise ArgumentFault(1, "0 or 1")
        self._station.save(auto_connect=bool(auto))
        return ()

    def changeap(self, arguments: Args) -> Value:
        index = arguments.check_integer(1) & 0xFF
        if not 1 <= index <= 5:
            raise ArgumentFault(1, "Valid range: 1-5")
        return index == 1

    def setaplimit(self, arguments: Args) -> Value:
        if not 1 <= arguments.check_integer(1) <= 5:
            raise ArgumentFault(1, "Valid range: 1-5")
        return True

    def clearconfig(self, _arguments: Args) -> Value:
        self._station.configure(StationConfig(), keep=True, auto=False)
        return True

    def config(self, arguments: Args) -> Value:
        if not is_table(arguments, 1):
            raise ArgumentFault(1, "config table not found!")
        table = ConfigTable(self._kernel, arguments)
        ssid = table.string("ssid", 0, 32, "ssid: length:0-32", "ssid:not string")
        if ssid is None:
            raise ArgumentFault(1, "ssid required")
        password = table.string("pwd", 0, 64, "pwd: length:0-64", "pwd:not string")
        bssid = table.string("bssid", 17, 17, "bssid: FF:FF:FF:FF:FF:FF", "bssid:not string")
        auto = table.boolean("auto", True, "auto:not boolean")
        keep = table.boolean("save", True, "save:not boolean")
        for name, event, complaint in _CALLBACKS:
            table.callback(name, partial(self._monitor.set, event), complaint)
        # C reads both as zero-terminated strings.
        config = StationConfig(
            ssid.split(b"\0", 1)[0],
            (password or b"").split(b"\0", 1)[0],
            read_mac(bssid) if bssid is not None else None,
        )
        self._station.configure(config, keep=keep, auto=auto)
        return True

    def connect(self, arguments: Args) -> Any:
        if arguments.is_function(1):
            self._monitor.set(Event.CONNECTED, arguments.get(1))
        self._station.connect()
        return ()

    def disconnect(self, arguments: Args) -> Any:
        if arguments.is_function(1):
            self._monitor.set(Event.DISCONNECTED, arguments.get(1))
        self._station.disconnect()
        return ()

    def _config(self, arguments: Args, config: StationConfig) -> Value:
        bssid = mac_text(config.bssid or bytes(6))
        if arguments.get(1) is not True:
            return config.ssid, config.password, int(config.bssid is not None), bssid
        fields: dict[str, Value] = {"ssid": config.ssid}
        if config.password:
            fields["pwd"] = config.password
        return self._kernel.lua.table({**fields, "bssid_set": config.bssid is not None, "bssid": bssid})

    def getapinfo(self, _arguments: Args) -> Value:
        config = self._station.settings.station
        if not config.ssid:
            return self._kernel.lua.table({"qty": 0})
        fields: dict[str, Value] = {"ssid": config.ssid}
        if config.password:
            fields["pwd"] = config.password
        if config.bssid is not None:
            fields["bssid"] = mac_text(config.bssid)
        return self._kernel.lua.table({"qty": 1, 1: fields})

    def getip(self, _arguments: Args) -> Value:
        interface = self._kernel.network.interface
        if interface.address == ANY:
            return (None,)
        return tuple(dotted(ip).encode() for ip in (interface.address, interface.netmask, interface.gateway))

    def getbroadcast(self, _arguments: Args) -> Value:
        interface = self._kernel.network.interface
        if interface.address == ANY:
            return (None,)
        return dotted(interface.address & interface.netmask | ~interface.netmask & NONE).encode()

    def setip(self, arguments: Args) -> Value:
        if not is_table(arguments, 1):
            raise LuaFault("wrong arg type")
        interface = self._kernel.network.interface
        addresses = [interface.address, interface.netmask, interface.gateway]
        for index, name in enumerate(("ip", "netmask", "gateway")):
            text = string_of(self._kernel.lua.get(arguments.get(1), name))
            if text is not None:
                addresses[index] = parse_or_none(text) or addresses[index]
        self._station.set_addresses(*addresses)
        return True

    def getrssi(self, _arguments: Args) -> Value:
        # The SDK answers 31 when it is not associated, which the module turns into nil.
        return self._station.air.rssi if self._station.status is Status.GOT_IP else (None,)

    def setmac(self, arguments: Args) -> Value:
        mac = check_mac(arguments, 1)
        if not self._station.mode & STATION_MODE or mac[0] & 1:
            return False
        self._station.mac = mac
        self._kernel.network.interface.mac = mac
        return True

    def sethostname(self, arguments: Args) -> Value:
        name = arguments.check_string(1)
        if not _HOSTNAME.match(name):
            raise ArgumentFault(1, "Invalid hostname")
        self._station.hostname = name
        return True

    # --- scanning ---

    def getap(self, arguments: Args) -> Any:
        if self._station.mode == _SOFTAP_ONLY:
            raise LuaFault("Can't list ap in SOFTAP mode")
        wanted, form, done = self._scan_arguments(arguments)
        if form not in (0, 1):
            raise LuaFault("wrong arg type")
        # `getap_output_format` is one for all, as the callback is: a scan under way answers as the last call asked.
        self._scan_done, self._scan_form = done, form
        if done is not None:
            self._station.scan(lambda found: self._scanned([ap for ap in found if _is_wanted(ap, wanted)]))
        return ()

    def _scan_arguments(self, arguments: Args) -> tuple[dict[str, Value], int, Value]:
        """(filter, format, callback) of `getap([filter][, format], fn)`."""
        rest = list(arguments)
        wanted: dict[str, Value] = {}
        if is_table(arguments, 1):
            wanted = self._scan_filter(arguments)
            rest.pop(0)
        elif arguments.type_name(1) == "nil":
            rest.pop(0)
        elif not (arguments.is_function(1) or arguments.type_name(1) == "number"):
            raise LuaFault("wrong arg type")
        form = 0
        if rest and (rest[0] is None or Args((rest[0],)).type_name(1) == "number"):
            form = Args(rest).opt_integer(1, 0)
            rest.pop(0)
        return wanted, form, rest[0] if rest and Args(rest).is_function(1) else None

    def _scan_filter(self, arguments: Args) -> dict[str, Value]:
        wanted: dict[str, Value] = {}
        for name in ("ssid", "bssid", "channel", "show_hidden"):
            value = self._kernel.lua.get(arguments.get(1), name)
            if value is None:
                continue
            one = Args((value,))
            if name in ("ssid", "bssid"):
                if not one.is_string(1):
                    raise LuaFault("wrong arg type")
                wanted[name] = one.check_string(1) if name == "ssid" else check_mac(one, 1)
            elif not one.is_number(1):
                raise LuaFault("wrong arg type")
            else:
                wanted[name] = one.to_integer(1)
        if len(wanted.get("ssid", b"")) > 32:
            raise LuaFault("ssid:<32")
        if not 0 <= wanted.get("channel", 0) & 0xFF <= 13:
            raise LuaFault("channel: 0 or 1-13")
        if wanted.get("show_hidden", 0) not in (0, 1):
            raise LuaFault("show_hidden: 0 or 1")
        return wanted

    def _scanned(self, found: list[AccessPoint]) -> None:
        function, self._scan_done = self._scan_done, None
        if function is None:
            return
        table: dict[bytes, bytes] = {}
        for ap in found:
            if self._scan_form == 1:
                table[mac_text(ap.bssid)] = b"%s,%d,%d,%d" % (ap.shown_ssid, ap.rssi, ap.auth, ap.channel)
            else:
                table[ap.shown_ssid] = b"%d,%d,%s,%d" % (ap.auth, ap.rssi, mac_text(ap.bssid), ap.channel)
        self._kernel.lua.protected(function, self._kernel.lua.table(table), kind="wifi callback")


def _is_wanted(ap: AccessPoint, wanted: dict[str, Value]) -> bool:
    return (
        wanted.get("ssid", ap.shown_ssid) == ap.shown_ssid
        and wanted.get("bssid", ap.bssid) == ap.bssid
        and wanted.get("channel", 0) in (0, ap.channel)
    )
