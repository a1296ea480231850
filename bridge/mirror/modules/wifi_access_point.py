"""`wifi.ap` (app/modules/wifi.c, release 3.0.0): the board as an access point of its own network."""

from __future__ import annotations

from typing import ClassVar, Literal, TypedDict, overload

from bridge.mirror.lua import TableSource
from bridge.mirror.modules.face import Face
from bridge.mirror.modules.text import text_table, to_table, to_text
from bridge.mirror.modules.wifi_config import AccessPointConfig, AccessPointOptions, AccessPointTuple
from bridge.mirror.modules.wifi_eventmon import EventMonitor, Handing
from bridge.mirror.modules.wifi_interface import Interface

_SETTINGS = {"ssid", "pwd", "auth", "channel", "hidden", "max", "beacon", "save"}
_EVENTS = {
    "staconnected_cb": EventMonitor.AP_STACONNECTED,
    "stadisconnected_cb": EventMonitor.AP_STADISCONNECTED,
    "probereq_cb": EventMonitor.AP_PROBEREQRECVED,
}


class Pool(TypedDict):
    """What `wifi.ap.dhcp.config` takes."""

    start: str
    """First address."""


class DHCP(Face):
    """`wifi.ap.dhcp`: addresses for the clients."""

    MODULE: ClassVar[str] = "wifi.ap.dhcp"

    async def config(self, dhcp_config: Pool) -> tuple[str, str]:
        """Set the addresses that clients get: as many as there may be clients.

        Returns:
            (first, last) address.

        Raises:
            LuaError: "wrong arg type".
        """
        first, last = await self._call("config", to_table(dhcp_config, "wifi.ap.dhcp.config"))
        return to_text(first), to_text(last)

    async def start(self) -> bool:
        """Give addresses. False if the chip does not, for example as a station only."""
        return bool(await self._one("start"))

    async def stop(self) -> bool:
        """Give no addresses."""
        return bool(await self._one("stop"))


class AccessPointFace(Interface):
    """The board's own network.

    Attributes:
        dhcp: `wifi.ap.dhcp`.
    """

    MODULE: ClassVar[str] = "wifi.ap"

    def __init__(self, tables: TableSource, monitor: EventMonitor) -> None:
        super().__init__(tables, monitor)
        self.dhcp = DHCP(tables)

    async def config(self, cfg: AccessPointOptions) -> bool:
        """Set the network up. Passwords are in no log, trace or error of this package.

        Args:
            cfg: see `AccessPointOptions`. Stock ignores names that it does not know; here they are refused.

        Returns:
            False if the chip did not take it, for example as a station only.

        Raises:
            UsageError: a name that stock does not know.
            LuaError: "ssid: required", "pwd: length:0 or 8-64", "channel: Range:1-13", ….
        """
        table = await self._tables()
        with Handing(self._monitor, table) as handing:
            (done,) = await table.call("wifi.ap.config", handing.settings(cfg, _SETTINGS, _EVENTS))
        return bool(done)

    async def deauth(self, MAC: str | None = None) -> bool:
        """Throw a client out; None is all of them. False as a station only.

        Raises:
            LuaError: "MAC:FF:FF:FF:FF:FF:FF": it has not this form.
        """
        return bool(await self._one("deauth", MAC))

    async def getclient(self) -> dict[str, str]:
        """Address of each client, by its MAC address.

        Raises:
            LuaError: "Can't list clients in STATION mode".
        """
        return text_table(await self._one("getclient"))

    @overload
    async def getconfig(self, return_table: Literal[False] = False) -> AccessPointTuple: ...
    @overload
    async def getconfig(self, return_table: Literal[True]) -> AccessPointConfig: ...
    @overload
    async def getconfig(self, return_table: bool) -> AccessPointConfig | AccessPointTuple: ...
    async def getconfig(self, return_table: bool = False) -> AccessPointConfig | AccessPointTuple:
        """The settings.

        Args:
            return_table: stock returns a table, here an object; without, two values.
        """
        return await self._config("getconfig", return_table)

    @overload
    async def getdefaultconfig(self, return_table: Literal[False] = False) -> AccessPointTuple: ...
    @overload
    async def getdefaultconfig(self, return_table: Literal[True]) -> AccessPointConfig: ...
    @overload
    async def getdefaultconfig(self, return_table: bool) -> AccessPointConfig | AccessPointTuple: ...
    async def getdefaultconfig(self, return_table: bool = False) -> AccessPointConfig | AccessPointTuple:
        """The settings in the flash; as `getconfig`."""
        return await self._config("getdefaultconfig", return_table)

    async def _config(self, function: str, return_table: bool) -> AccessPointConfig | AccessPointTuple:
        # Always as a table, in which the password has a name: without one, no log could know it for what it is.
        found = text_table(await self._one(function, True))
        if not return_table:
            return AccessPointTuple(found["ssid"], found.get("pwd"))
        return AccessPointConfig(
            found["ssid"],
            found.get("pwd"),
            found["auth"],
            found["channel"],
            found["hidden"],
            found["max"],
            found["beacon"],
        )
