"""`wifi.eventmon` (app/modules/wifi_eventmon.c, release 3.0.0): being told of what Wi-Fi does."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, ClassVar

from bridge.errors import UsageError
from bridge.mirror.lua import TableSource
from bridge.mirror.modules.face import Face
from bridge.mirror.modules.relay import Relay, Relays
from bridge.mirror.modules.text import text_table, to_name
from bridge.mirror.modules.wifi_config import EventHandler
from bridge.mirror.table import HandleTable
from bridge.wire.values import Value


class Reason(IntEnum):
    """Why a station was disconnected. Two stock names begin with a digit: they have a word before it here."""

    UNSPECIFIED = 1
    AUTH_EXPIRE = 2
    AUTH_LEAVE = 3
    ASSOC_EXPIRE = 4
    ASSOC_TOOMANY = 5
    NOT_AUTHED = 6
    NOT_ASSOCED = 7
    ASSOC_LEAVE = 8
    ASSOC_NOT_AUTHED = 9
    DISASSOC_PWRCAP_BAD = 10
    DISASSOC_SUPCHAN_BAD = 11
    IE_INVALID = 13
    MIC_FAILURE = 14
    THE_4WAY_HANDSHAKE_TIMEOUT = 15
    GROUP_KEY_UPDATE_TIMEOUT = 16
    IE_IN_4WAY_DIFFERS = 17
    GROUP_CIPHER_INVALID = 18
    PAIRWISE_CIPHER_INVALID = 19
    AKMP_INVALID = 20
    UNSUPP_RSN_IE_VERSION = 21
    INVALID_RSN_IE_CAP = 22
    THE_802_1X_AUTH_FAILED = 23
    CIPHER_SUITE_REJECTED = 24
    BEACON_TIMEOUT = 200
    NO_AP_FOUND = 201
    AUTH_FAIL = 202
    ASSOC_FAIL = 203
    HANDSHAKE_TIMEOUT = 204


class EventConstants:
    """Events of `wifi.eventmon`, and the reasons of disconnections."""

    STA_CONNECTED = 0
    STA_DISCONNECTED = 1
    STA_AUTHMODE_CHANGE = 2
    STA_GOT_IP = 3
    STA_DHCP_TIMEOUT = 4
    AP_STACONNECTED = 5
    AP_STADISCONNECTED = 6
    AP_PROBEREQRECVED = 7
    WIFI_MODE_CHANGED = 8
    EVENT_MAX = 10
    reason = Reason


class EventMonitor(EventConstants, Face):
    """What a handler gets is a dict, by event:

    | Event | Keys |
    |---|---|
    | `STA_CONNECTED` | SSID, BSSID, channel |
    | `STA_DISCONNECTED` | SSID, BSSID, reason (a number; see `reason`) |
    | `STA_AUTHMODE_CHANGE` | old_auth_mode, new_auth_mode |
    | `STA_GOT_IP` | IP, netmask, gateway |
    | `STA_DHCP_TIMEOUT` | none |
    | `AP_STACONNECTED`, `AP_STADISCONNECTED` | MAC, AID |
    | `AP_PROBEREQRECVED` | MAC, RSSI |
    | `WIFI_MODE_CHANGED` | old_mode, new_mode |

    There is one handler for each event, also for the callbacks that `wifi.sta.config`, `connect`, `disconnect` and
    `wifi.ap.config` take. What happens before a handler is set is lost, as in stock.
    """

    MODULE: ClassVar[str] = "wifi.eventmon"

    def __init__(self, tables: TableSource) -> None:
        super().__init__(tables)
        self._relays = Relays()

    async def register(self, Event: int, function: EventHandler | None = None) -> None:
        """Set who is told of an event; replaces the handler before.

        Args:
            Event: `STA_CONNECTED` and so on.
            function: called with a dict; may be a coroutine function. None removes the handler.

        Raises:
            LuaError: "valid wifi events:0-10"; or the firmware has no event monitor.
        """
        if function is None:
            await self.unregister(Event)
            return
        table = await self._tables()
        with Handing(self, table) as handing:
            await table.call("wifi.eventmon.register", Event, handing.relay(Event, function))

    async def unregister(self, Event: int) -> None:
        """Remove the handler of an event."""
        table = await self._tables()
        await table.call("wifi.eventmon.unregister", Event)
        self._relay(table, Event).function = None

    def _relay(self, table: HandleTable, event: int) -> Relay:
        """What Lua calls for an event."""
        return self._relays.at(
            table,
            event,
            f"event {event} of wifi",
            lambda found=None, *_: (text_table(found),),
            farewell=("wifi.eventmon.unregister", event),
        )


class Handing:
    """Handlers on their way to the board with one call: if it fails, those before them stay."""

    def __init__(self, monitor: EventMonitor, table: HandleTable) -> None:
        self._monitor = monitor
        self._table = table
        self._before: list[tuple[Relay, EventHandler | None]] = []

    def __enter__(self) -> Handing:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            for relay, function in self._before:
                relay.function = function

    def relay(self, event: int, function: object) -> Relay:
        """What Lua gets for a handler.

        Raises:
            UsageError: it cannot be called.
        """
        if not callable(function):
            raise UsageError(f"The handler for event {event} of wifi cannot be called", remedy="Pass a function.")
        relay = self._monitor._relay(self._table, event)
        self._before.append((relay, relay.function))
        relay.function = function
        return relay

    def settings(self, config: Mapping[str, Any], known: set[str], events: Mapping[str, int]) -> dict[str, Value]:
        """A table of settings as Lua gets it.

        Args:
            config: the user's.
            known: names of plain settings.
            events: name of a setting that is a handler → its event.

        Raises:
            UsageError: no dict; a name that stock does not know, and would ignore; a handler that cannot be called.
        """
        if not isinstance(config, Mapping):
            raise UsageError("The settings of wifi are a dict", remedy='Write {"ssid": …, "pwd": …}.')
        names = {*known, *events}
        for name in config:
            if name not in names:
                # Not its value: it may be a password under a name that was mistyped.
                raise UsageError(f"wifi knows no setting {name!r}", remedy=f"Use one of {', '.join(sorted(names))}.")
        return {
            name: self.relay(events[name], value) if name in events else to_name(value)
            for name, value in config.items()
            if value is not None
        }
