"""`board.wifi`: the module `wifi` (app/modules/wifi.c, release 3.0.0).

What stock builds leave out (`suspend`, `resume`, `startsmart`, `stopsmart`, `monitor`) is left to `board.lua`.
"""

from __future__ import annotations

from typing import ClassVar, cast

from bridge.mirror.lua import TableSource
from bridge.mirror.modules.face import Face
from bridge.mirror.modules.text import text_table, to_table
from bridge.mirror.modules.wifi_access_point import AccessPointFace
from bridge.mirror.modules.wifi_config import Country
from bridge.mirror.modules.wifi_eventmon import EventMonitor
from bridge.mirror.modules.wifi_station import LIGHT_SLEEP, Station, set_sleep_type


class WifiConstants:
    """Constants of `wifi`."""

    NULLMODE = 0
    STATION = 1
    SOFTAP = 2
    STATIONAP = 3
    PHYMODE_B = 1
    PHYMODE_G = 2
    PHYMODE_N = 3
    NONE_SLEEP = 0
    LIGHT_SLEEP = LIGHT_SLEEP
    MODEM_SLEEP = 2
    OPEN = 0
    WPA_PSK = 2
    WPA2_PSK = 3
    WPA_WPA2_PSK = 4
    STA_IDLE = 0
    STA_CONNECTING = 1
    STA_WRONGPWD = 2
    STA_APNOTFOUND = 3
    STA_FAIL = 4
    STA_GOTIP = 5
    COUNTRY_AUTO = 0
    COUNTRY_MANUAL = 1


class Wifi(WifiConstants, Face):
    """The radio.

    Attributes:
        sta: the board as a station.
        ap: the board as an access point.
        eventmon: who is told of what happens.
    """

    MODULE: ClassVar[str] = "wifi"

    def __init__(self, tables: TableSource) -> None:
        super().__init__(tables)
        self.eventmon = EventMonitor(tables)
        self.sta = Station(tables, self.eventmon)
        self.ap = AccessPointFace(tables, self.eventmon)

    async def setmode(self, mode: int, save: bool | None = None) -> int:
        """Set what the radio does.

        Args:
            mode: `NULLMODE` (off), `STATION`, `SOFTAP` or `STATIONAP`.
            save: keep it in the flash; so if None.

        Returns:
            The mode.

        Raises:
            LuaError: "Invalid mode".
        """
        return int(await self._one("setmode", mode, save))

    async def getmode(self) -> int:
        """The mode."""
        return int(await self._one("getmode"))

    async def getdefaultmode(self) -> int:
        """The mode in the flash."""
        return int(await self._one("getdefaultmode"))

    async def getchannel(self) -> int:
        """The channel, 1 to 14."""
        return int(await self._one("getchannel"))

    async def getcountry(self) -> Country:
        """Which channels may be used."""
        return cast(Country, text_table(await self._one("getcountry")))

    async def setcountry(self, country_info: Country) -> bool:
        """Say which channels may be used. What is missing becomes what it is by default: {} sets all back.

        Raises:
            LuaError: "country: country code must be 2 chars", "start_ch: Range:1-14", ….
        """
        return bool(await self._one("setcountry", to_table(country_info, "wifi.setcountry")))

    async def getphymode(self) -> int:
        """`PHYMODE_B`, `PHYMODE_G` or `PHYMODE_N`: 802.11b, g or n."""
        return int(await self._one("getphymode"))

    async def setphymode(self, mode: int) -> int:
        """Set that; an access point knows no `PHYMODE_N`. Returns what it is then.

        Raises:
            LuaError: "wrong arg type".
        """
        return int(await self._one("setphymode", mode))

    async def setmaxtxpower(self, max_tpw: int) -> None:
        """Limit the power of the radio until the next start.

        Args:
            max_tpw: 1 to 82, in 0.25 dBm.

        Raises:
            LuaError: "tx power out of range (0->82)".
        """
        await self._call("setmaxtxpower", max_tpw)

    async def nullmodesleep(self, enable: bool | None = None) -> bool:
        """Set or read whether the radio sleeps in `NULLMODE`; until the next start."""
        return bool(await self._one("nullmodesleep", enable))

    async def sleeptype(self, type_wanted: int | None = None) -> int:
        """Set or read how the radio of a station saves power.

        Args:
            type_wanted: `NONE_SLEEP` or `MODEM_SLEEP`; None reads it.

        Returns:
            The kind of sleep.

        Raises:
            UsageError: `LIGHT_SLEEP`: the board would not hear this host while it sleeps.
            LuaError: "range:0-2".
        """
        return await set_sleep_type(self, type_wanted)
