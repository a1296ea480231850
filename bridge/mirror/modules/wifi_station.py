"""`wifi.sta` (app/modules/wifi.c, release 3.0.0): the board as a station in a network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar, Literal, overload

from bridge.errors import UsageError
from bridge.mirror.lua import TableSource
from bridge.mirror.modules.face import Face, check_whole
from bridge.mirror.modules.relay import Relay, Relays
from bridge.mirror.modules.text import text_table, to_name, to_table, to_text
from bridge.mirror.modules.wifi_config import (
    EventHandler,
    StationConfig,
    StationOptions,
    StationTuple,
    StoredAccessPoint,
)
from bridge.mirror.modules.wifi_eventmon import EventMonitor, Handing
from bridge.mirror.modules.wifi_interface import Interface
from bridge.mirror.modules.wifi_scan import AccessPoint, by_bssid, by_ssid
from bridge.wire.values import Value

#: Seconds for a scan: 13 channels at 0.12 s, twice, and room for a board that is busy.
SCAN_TIMEOUT = 30.0
_SETTINGS = {"ssid", "pwd", "auto", "bssid", "save"}
_EVENTS = {
    "connect_cb": EventMonitor.STA_CONNECTED,
    "disconnect_cb": EventMonitor.STA_DISCONNECTED,
    "authmode_change_cb": EventMonitor.STA_AUTHMODE_CHANGE,
    "got_ip_cb": EventMonitor.STA_GOT_IP,
    "dhcp_timeout_cb": EventMonitor.STA_DHCP_TIMEOUT,
}
LIGHT_SLEEP = 1


class Station(Interface):
    """The station. Its functions write to the flash unless they are told not to."""

    MODULE: ClassVar[str] = "wifi.sta"

    def __init__(self, tables: TableSource, monitor: EventMonitor) -> None:
        super().__init__(tables, monitor)
        self._relays = Relays()
        self._scans = asyncio.Lock()
        self._answer: asyncio.Future[dict[str, AccessPoint]] | None = None

    async def config(self, station_config: StationOptions) -> bool:
        """Say which network to join; the station leaves the one it is in.

        Passwords are in no log, trace or error of this package.

        Args:
            station_config: see `StationOptions`. Stock ignores names that it does not know; here they are refused.
                (Its documentation calls two handlers `connected_cb` and `disconnected_cb`; the code, and so this,
                `connect_cb` and `disconnect_cb`.)

        Returns:
            True if the chip took it; whether it joins, `status` and the events tell.

        Raises:
            UsageError: a name that stock does not know.
            LuaError: "ssid required", "ssid: length:0-32", "pwd: length:0-64", ….
        """
        table = await self._tables()
        with Handing(self._monitor, table) as handing:
            settings = handing.settings(station_config, _SETTINGS, _EVENTS)
            (done,) = await table.call("wifi.sta.config", settings)
        return bool(done)

    async def clearconfig(self) -> bool:
        """Forget the network, also in the flash, and leave it."""
        return bool(await self._one("clearconfig"))

    async def connect(self, connected_cb: EventHandler | None = None) -> None:
        """Join the network that is configured; ends at once.

        Args:
            connected_cb: becomes the handler of `STA_CONNECTED`.
        """
        await self._with_handler("connect", EventMonitor.STA_CONNECTED, connected_cb)

    async def disconnect(self, disconnected_cb: EventHandler | None = None) -> None:
        """Leave the network; ends at once.

        Args:
            disconnected_cb: becomes the handler of `STA_DISCONNECTED`.
        """
        await self._with_handler("disconnect", EventMonitor.STA_DISCONNECTED, disconnected_cb)

    async def autoconnect(self, auto: int) -> None:
        """Join the network by itself after each start (1) or not (0).

        Raises:
            LuaError: "0 or 1".
        """
        await self._call("autoconnect", int(auto))

    async def status(self) -> int:
        """`wifi.STA_IDLE`, `STA_CONNECTING`, `STA_WRONGPWD`, `STA_APNOTFOUND`, `STA_FAIL` or `STA_GOTIP`."""
        return int(await self._one("status"))

    @overload
    async def getconfig(self, return_table: Literal[False] = False) -> StationTuple: ...
    @overload
    async def getconfig(self, return_table: Literal[True]) -> StationConfig: ...
    @overload
    async def getconfig(self, return_table: bool) -> StationConfig | StationTuple: ...
    async def getconfig(self, return_table: bool = False) -> StationConfig | StationTuple:
        """The network that is configured.

        Args:
            return_table: stock returns a table, here an object; without, four values.
        """
        return await self._config("getconfig", return_table)

    @overload
    async def getdefaultconfig(self, return_table: Literal[False] = False) -> StationTuple: ...
    @overload
    async def getdefaultconfig(self, return_table: Literal[True]) -> StationConfig: ...
    @overload
    async def getdefaultconfig(self, return_table: bool) -> StationConfig | StationTuple: ...
    async def getdefaultconfig(self, return_table: bool = False) -> StationConfig | StationTuple:
        """The network that is configured in the flash; as `getconfig`."""
        return await self._config("getdefaultconfig", return_table)

    async def getapinfo(self) -> dict[int, StoredAccessPoint]:
        """The networks that are remembered, by their index from 1 on. (Stock's field `qty` is the length.)"""
        found = await self._one("getapinfo")
        stored = {key: text_table(item) for key, item in found.items() if isinstance(key, int)}
        return {
            key: StoredAccessPoint(item.get("ssid", ""), item.get("pwd"), item.get("bssid"))
            for key, item in sorted(stored.items())
        }

    async def getapindex(self) -> int:
        """Index of the network in use among those of `getapinfo`, from 1 on."""
        return int(await self._one("getapindex"))

    async def changeap(self, ap_index: int) -> bool:
        """Change to another of the networks that are remembered.

        Raises:
            LuaError: "Valid range: 1-5".
        """
        return bool(await self._one("changeap", ap_index))

    async def setaplimit(self, qty: int) -> bool:
        """Say how many networks are remembered in the flash, 1 to 5; in force after a restart.

        Raises:
            LuaError: "Valid range: 1-5".
        """
        return bool(await self._one("setaplimit", qty))

    async def getap(
        self,
        cfg: dict[str, Any] | int | Callable[..., Any] | None = None,
        format: int | Callable[..., Any] | None = None,
        callback: Callable[..., Any] | None = None,
    ) -> dict[str, AccessPoint] | None:
        """Look for networks; it takes about 2 s.

        As in Lua, the first ones may be left out: `getap(fn)`, `getap(1, fn)`, `getap(cfg, 1, fn)`. Stock keeps one
        callback: a scan that begins takes the answer away from one that has not ended. Those that are awaited wait
        for each other.

        Args:
            cfg: what to look for: a dict with ssid, bssid, channel (0 is all) and show_hidden (0 or 1).
            format: 0, what is found has its SSID as key, and of several networks of one SSID one is left; 1, its
                BSSID.
            callback: called with a dict of `AccessPoint`, where stock gives texts to be cut; then this returns at
                once, with None. Without one, this waits for what is found.

        Returns:
            What was found by SSID or BSSID; nothing is also what stock gives when the scan failed.

        Raises:
            UsageError: another scan took the answer.
            LuaError: "Can't list ap in SOFTAP mode", "wrong arg type", "channel: 0 or 1-13", ….
        """
        given = [value for value in (cfg, format, callback) if value is not None]
        function: Any = given.pop() if given and callable(given[-1]) else None
        wanted = given.pop(0) if given and isinstance(given[0], dict) else None
        form = given.pop(0) if given else 0
        if given or not isinstance(form, int):
            raise UsageError("getap takes (cfg, format, callback)", remedy="Write getap({…}, 1, function).")
        if function is not None:
            await self._scan(wanted, form, function)
            return None
        async with self._scans:
            table = await self._tables()
            answer = self._answer = table.loop.create_future()
            await self._scan(wanted, form, lambda found: None if answer.done() else answer.set_result(found), answer)
            return await table.wait(answer, SCAN_TIMEOUT, "what it found of networks")

    async def gethostname(self) -> str:
        """The name that the station gives at DHCP."""
        return str(to_text(await self._one("gethostname")))

    async def sethostname(self, hostname: str) -> bool:
        """Set that name: 1 to 32 letters, digits and "-", which neither begins nor ends it.

        Raises:
            LuaError: "Invalid hostname".
        """
        return bool(await self._one("sethostname", to_name(hostname)))

    async def getrssi(self) -> int | None:
        """Strength of the access point's signal in dBm, or None when not connected."""
        value = await self._one("getrssi")
        return None if value is None else int(value)

    async def sleeptype(self, type_wanted: int | None = None) -> int:
        """As `wifi.sleeptype`."""
        return await set_sleep_type(self, type_wanted)

    async def _config(self, function: str, return_table: bool) -> StationConfig | StationTuple:
        # Always as a table, in which the password has a name: without one, no log could know it for what it is.
        found = text_table(await self._one(function, True))
        ssid, password, bssid = found["ssid"], found.get("pwd"), found["bssid"]
        if return_table:
            return StationConfig(ssid, password, found["bssid_set"], bssid)
        return StationTuple(ssid, password or "", int(found["bssid_set"]), bssid)

    async def _with_handler(self, function: str, event: int, handler: EventHandler | None) -> None:
        if handler is None:
            await self._call(function)
            return
        table = await self._tables()
        with Handing(self._monitor, table) as handing:
            await table.call(f"wifi.sta.{function}", handing.relay(event, handler))

    async def _scan(
        self, wanted: Value, form: int, function: Callable[..., Any], answer: asyncio.Future[Any] | None = None
    ) -> None:
        table = await self._tables()
        read = by_bssid if form == 1 else by_ssid
        relay: Relay = self._relays.at(table, "scan", "wifi.sta.getap")
        before, relay.function = relay.function, lambda found=None: function(read(found))
        settings = () if wanted is None else (to_table(wanted, "wifi.sta.getap"),)
        try:
            await table.call("wifi.sta.getap", *settings, form, relay)
        except BaseException:
            relay.function = before
            raise
        if self._answer not in (None, answer) and not self._answer.done():
            self._answer.set_exception(UsageError("Another scan took the answer of this one"))


async def set_sleep_type(face: Face, wanted: int | None) -> int:
    """`sleeptype` of a face.

    Raises:
        UsageError: light sleep: the chip would not hear this host while it sleeps.
    """
    if wanted is not None:
        check_whole(wanted, "The kind of sleep")
    if wanted == LIGHT_SLEEP:
        raise UsageError(
            "In light sleep the board does not hear the line",
            remedy="Use MODEM_SLEEP, or board.lua.wifi.sleeptype(1) as the last thing.",
        )
    return int(await face._one("sleeptype", wanted))
