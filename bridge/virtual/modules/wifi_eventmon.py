"""`wifi.eventmon` (app/modules/wifi_eventmon.c): events of the SDK, handed to Lua one by one in LOW tasks."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import Any

from bridge.virtual.lua.api import Args, LuaFault, Module, Value
from bridge.virtual.lwip.station import Event
from bridge.virtual.sdk.kernel import Kernel, Priority, TaskQueueFull

_EVENT_MAX = 10
_REASONS = {
    "UNSPECIFIED": 1,
    "AUTH_EXPIRE": 2,
    "AUTH_LEAVE": 3,
    "ASSOC_EXPIRE": 4,
    "ASSOC_TOOMANY": 5,
    "NOT_AUTHED": 6,
    "NOT_ASSOCED": 7,
    "ASSOC_LEAVE": 8,
    "ASSOC_NOT_AUTHED": 9,
    "DISASSOC_PWRCAP_BAD": 10,
    "DISASSOC_SUPCHAN_BAD": 11,
    "IE_INVALID": 13,
    "MIC_FAILURE": 14,
    "4WAY_HANDSHAKE_TIMEOUT": 15,
    "GROUP_KEY_UPDATE_TIMEOUT": 16,
    "IE_IN_4WAY_DIFFERS": 17,
    "GROUP_CIPHER_INVALID": 18,
    "PAIRWISE_CIPHER_INVALID": 19,
    "AKMP_INVALID": 20,
    "UNSUPP_RSN_IE_VERSION": 21,
    "INVALID_RSN_IE_CAP": 22,
    "802_1X_AUTH_FAILED": 23,
    "CIPHER_SUITE_REJECTED": 24,
    "BEACON_TIMEOUT": 200,
    "NO_AP_FOUND": 201,
    "AUTH_FAIL": 202,
    "ASSOC_FAIL": 203,
    "HANDSHAKE_TIMEOUT": 204,
}


class EventMonitor:
    """Who wants to hear of what, and what is still to be told."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._callbacks: dict[int, Value] = {}
        self._queue: deque[tuple[Event, dict[str, Any]]] = deque()

    def set(self, event: int, function: Value) -> None:
        """Register a function for an event, or take it away with None."""
        if function is None:
            self._callbacks.pop(event, None)
        else:
            self._callbacks[event] = function

    def happened(self, event: Event, details: dict[str, Any]) -> None:
        """An event of the SDK."""
        if event in self._callbacks:
            self._queue.append((event, details))
            if len(self._queue) == 1:
                self._post()

    def _post(self) -> None:
        with contextlib.suppress(TaskQueueFull):
            self._kernel.post(Priority.LOW, self._tell)

    def _tell(self) -> None:
        event, details = self._queue.popleft()
        if self._queue:
            self._post()
        function = self._callbacks.get(event)
        if function is not None:
            self._kernel.lua.protected(function, self._kernel.lua.table(details), kind="wifi callback")

    def register(self, arguments: Args) -> Any:
        """`wifi.eventmon.register(event[, fn])`, also `unregister`."""
        event = arguments.check_integer(1) & 0xFF
        if event > _EVENT_MAX:
            raise LuaFault(f"valid wifi events:0-{_EVENT_MAX}")
        self.set(event, arguments.get(2) if arguments.is_function(2) else None)
        return ()


def build_eventmon(monitor: EventMonitor) -> Module:
    """The table `wifi.eventmon`."""
    return Module(
        "eventmon",
        {
            "register": monitor.register,
            "unregister": monitor.register,
            "STA_CONNECTED": int(Event.CONNECTED),
            "STA_DISCONNECTED": int(Event.DISCONNECTED),
            "STA_AUTHMODE_CHANGE": int(Event.AUTHMODE_CHANGE),
            "STA_GOT_IP": int(Event.GOT_IP),
            "STA_DHCP_TIMEOUT": int(Event.DHCP_TIMEOUT),
            "AP_STACONNECTED": int(Event.AP_STACONNECTED),
            "AP_STADISCONNECTED": int(Event.AP_STADISCONNECTED),
            "AP_PROBEREQRECVED": int(Event.AP_PROBEREQRECVED),
            "WIFI_MODE_CHANGED": int(Event.OPMODE_CHANGED),
            "EVENT_MAX": _EVENT_MAX,
            "reason": Module("reason", _REASONS),
        },
    )
