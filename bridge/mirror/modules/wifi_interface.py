"""What `wifi.sta` and `wifi.ap` have in common (app/modules/wifi.c, release 3.0.0): addresses, and their events."""

from __future__ import annotations

from bridge.mirror.lua import TableSource
from bridge.mirror.modules.face import Face
from bridge.mirror.modules.text import to_table, to_text
from bridge.mirror.modules.wifi_config import Addresses
from bridge.mirror.modules.wifi_eventmon import EventMonitor


class Interface(Face):
    """One of the two network interfaces of the radio."""

    def __init__(self, tables: TableSource, monitor: EventMonitor) -> None:
        super().__init__(tables)
        self._monitor = monitor

    async def getip(self) -> tuple[str, str, str] | None:
        """(address, netmask, gateway); None for a station without an address, and for the network of a station only."""
        values = await self._call("getip")
        if not values or values[0] is None:
            return None
        ip, netmask, gateway = map(to_text, values)
        return ip, netmask, gateway

    async def setip(self, cfg: Addresses) -> bool:
        """Set address, netmask and gateway. A station stops asking for them by DHCP.

        Stock behaviour to know: a text that is no address is taken for 255.255.255.255.

        Raises:
            UsageError: no dict.
        """
        return bool(await self._one("setip", to_table(cfg, f"{self.MODULE}.setip")))

    async def getbroadcast(self) -> str | None:
        """Broadcast address, or None where `getip` gives None."""
        value = await self._one("getbroadcast")
        return None if value is None else str(to_text(value))

    async def getmac(self) -> str:
        """MAC address, as "18:fe:34:a2:d7:34"."""
        return str(to_text(await self._one("getmac")))

    async def setmac(self, mac: str) -> bool:
        """Set the MAC address until the next start. False if the chip refuses it.

        Raises:
            LuaError: "MAC:FF:FF:FF:FF:FF:FF": it has not this form.
        """
        return bool(await self._one("setmac", mac))
