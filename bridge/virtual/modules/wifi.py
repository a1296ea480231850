"""The `wifi` module (app/modules/wifi.c of release 3.0.0).

Not recorded; built from the C source and the SDK's documentation. Callbacks are protected.
"""

from __future__ import annotations

from typing import Any

from bridge.virtual.lua.api import Args, ArgumentFault, LuaFault, Module, Value
from bridge.virtual.lwip.station import Station, Status
from bridge.virtual.modules.wifi_ap import build_access_point
from bridge.virtual.modules.wifi_eventmon import EventMonitor, build_eventmon
from bridge.virtual.modules.wifi_station import build_station
from bridge.virtual.modules.wifi_table import ConfigTable, is_table
from bridge.virtual.sdk.kernel import Kernel

_MODEM_SLEEP = 2
_SUSPEND_NOTE = b'\n The option "PMSLEEP_ENABLE" in "app/include/user_config.h" was disabled during FW build!\n'


class _Functions:
    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._sleep_type = _MODEM_SLEEP
        self._null_mode_sleep = True
        self._country: dict[str, Value] = {"country": b"CN", "start_ch": 1, "end_ch": 13, "policy": 0}

    @property
    def _station(self) -> Station:
        return self._kernel.network.station

    def setmode(self, arguments: Args) -> Value:
        mode = arguments.check_integer(1)
        if not 0 <= mode <= 3:
            raise ArgumentFault(1, "Invalid mode")
        keep = True
        if arguments.get(2) is not None:
            if not isinstance(arguments.get(2), bool):
                raise arguments.type_error(2, "boolean")
            keep = bool(arguments.get(2))
        self._station.set_mode(mode, keep=keep)
        return self._station.mode

    def getmode(self, _arguments: Args) -> Value:
        return self._station.mode

    def getdefaultmode(self, _arguments: Args) -> Value:
        return self._station.settings.mode

    def getchannel(self, _arguments: Args) -> Value:
        associated = self._station.status is Status.GOT_IP
        return self._station.air.channel if associated else self._station.current.access_point.channel

    def getcountry(self, _arguments: Args) -> Value:
        return self._kernel.lua.table(self._country)

    def setcountry(self, arguments: Args) -> Value:
        if not is_table(arguments, 1):
            raise ArgumentFault(1, "Table not found!")
        table = ConfigTable(self._kernel, arguments)
        complaint = "country: country code must be 2 chars"
        code = table.string("country", 2, 2, complaint, "country: must be string")
        if code is not None and not code.isalpha():
            raise ArgumentFault(1, complaint)
        start = table.number("start_ch", 1, 14, 1, "start_ch: Range:1-14", "start_ch: must be a number")
        end = table.number("end_ch", 1, 14, 13, "end_ch: Range:1-14", "end_ch: must be a number")
        if end < start and table.get("end_ch") is not None:
            raise ArgumentFault(1, "end_ch: can't be less than start_ch")
        policy = table.number("policy", 0, 1, 0, "policy: must be 0 or 1", "policy: must be a number")
        code = (code or b"CN").upper()
        self._country = {"country": code, "start_ch": start, "end_ch": end, "policy": policy}
        return True

    def setphymode(self, arguments: Args) -> Value:
        mode = arguments.check_integer(1)
        if mode not in (1, 2, 3):
            raise LuaFault("wrong arg type")
        self._station.save(phy_mode=mode)
        return mode

    def getphymode(self, _arguments: Args) -> Value:
        return self._station.current.phy_mode

    def setmaxtxpower(self, arguments: Args) -> Value:
        if not 0 < arguments.check_integer(1) < 83:
            raise ArgumentFault(1, "tx power out of range (0->82)")
        return arguments[-1]  # C says that there is one result and pushes none: the last argument is it

    def suspend(self, _arguments: Args) -> Value:
        self._kernel.print(_SUSPEND_NOTE)
        raise LuaFault("wifi.suspend is unavailable")

    def nullmodesleep(self, arguments: Args) -> Value:
        if not arguments.is_none(1):
            self._null_mode_sleep = arguments.get(1) not in (None, False)
        return self._null_mode_sleep

    def sleeptype(self, arguments: Args) -> Value:
        if arguments.is_number(1):
            kind = arguments.to_integer(1)
            if kind not in (0, 1, 2):
                raise ArgumentFault(1, "range:0-2")
            self._sleep_type = kind
        return self._sleep_type


def build(kernel: Kernel) -> Module:
    """The module for one boot."""
    functions = _Functions(kernel)
    monitor = EventMonitor(kernel)
    if kernel.network is not None:
        kernel.network.station.listener = monitor.happened
    constants: dict[str, Any] = {
        "NULLMODE": 0,
        "STATION": 1,
        "SOFTAP": 2,
        "STATIONAP": 3,
        "PHYMODE_B": 1,
        "PHYMODE_G": 2,
        "PHYMODE_N": 3,
        "NONE_SLEEP": 0,
        "LIGHT_SLEEP": 1,
        "MODEM_SLEEP": 2,
        "OPEN": 0,
        "WPA_PSK": 2,
        "WPA2_PSK": 3,
        "WPA_WPA2_PSK": 4,
        "STA_IDLE": 0,
        "STA_CONNECTING": 1,
        "STA_WRONGPWD": 2,
        "STA_APNOTFOUND": 3,
        "STA_FAIL": 4,
        "STA_GOTIP": 5,
        "COUNTRY_AUTO": 0,
        "COUNTRY_MANUAL": 1,
    }
    return Module(
        "wifi",
        {
            "setmode": functions.setmode,
            "getmode": functions.getmode,
            "getdefaultmode": functions.getdefaultmode,
            "getchannel": functions.getchannel,
            "getcountry": functions.getcountry,
            "setcountry": functions.setcountry,
            "setphymode": functions.setphymode,
            "getphymode": functions.getphymode,
            "setmaxtxpower": functions.setmaxtxpower,
            "suspend": functions.suspend,
            "resume": functions.suspend,
            "nullmodesleep": functions.nullmodesleep,
            "sleeptype": functions.sleeptype,
            "sta": build_station(kernel, monitor, functions.sleeptype),
            "ap": build_access_point(kernel, monitor),
            "eventmon": build_eventmon(monitor),
            **constants,
        },
    )
