"""Which port and which MAC address is whose in one run: no two boards of a file are the same one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence

from bridge.errors import UsageError
from bridge.identify import identify_all
from bridge.ports.base import PortInfo
from bridge.ports.discover import list_boards
from bridge.ports.lock import lock_key
from bridge.provision.plan import BoardPlan


def port_key(url: str) -> str:
    """What a port is called here: the same by all its names, also by those of a port that is not there now."""
    is_name = "://" not in url and not url.startswith("virtual:") and "\0" not in url
    return lock_key(url) or (os.path.realpath(url) if is_name else url)


class Claims:
    """What the boards of one run have taken.

    Args:
        plans: of all boards of the run.
        ports: lists the adapters there are; for tests.
    """

    def __init__(self, plans: Iterable[BoardPlan], ports: Callable[[], Sequence[PortInfo]] | None = None) -> None:
        self._plans = list(plans)
        self._list = ports or list_boards
        self._ports: dict[str, tuple[str, str | None]] = {}
        self._macs: dict[str, str] = {}
        self._asked: dict[PortInfo, str | None] = {}
        self._asking = asyncio.Lock()

    def ports(self) -> list[PortInfo]:
        """The adapters there are."""
        return list(self._list())

    def others(self, name: str) -> list[BoardPlan]:
        """The plans of all boards of the run but one."""
        return [plan for plan in self._plans if plan.name != name]

    def take_port(self, name: str, url: str, usb_path: str | None = None) -> None:
        """A board is on a port; the one that it was on before is free.

        Args:
            name: of the board.
            url: of the port.
            usb_path: where its adapter is plugged in, if that is known. Names of ports may change places in a run.

        Raises:
            UsageError: another board of this run is on it.
        """
        self._ports.pop(name, None)
        # Who has a name there may have come first; whom the file puts there is meant.
        there = (plan.name for plan in self.others(name) if usb_path is not None and plan.place.usb_path == usb_path)
        other = self._on(url, usb_path) or next(there, None)
        if other is not None:
            raise UsageError(
                f"The boards {other} and {name} are both on {url}",
                port=url,
                remedy="Check in the file where each is; what was begun with the other one goes on.",
            )
        self._ports[name] = port_key(url), usb_path

    def take_mac(self, name: str, mac: str, url: str | None) -> None:
        """A board has a MAC address.

        Raises:
            UsageError: another board of this run has it.
        """
        other = self._macs.setdefault(mac, name)
        if other != name:
            raise UsageError(
                f"The boards {other} and {name} are one board: both have the MAC address {mac}",
                port=url,
                remedy="Check in the file where each is; what was begun with the other one goes on.",
            )

    async def with_mac(
        self, mac: str, among: Iterable[PortInfo], *, bare: bool = False, given: bool = False
    ) -> PortInfo | None:
        """Open ports, which may reset the boards there, and ask which has a MAC address; None if none has.

        Ports on which boards of this run are already are left alone. What has answered is not asked again.

        Args:
            mac: as "5c:cf:7f:00:11:22".
            among: the ports.
            bare: boards with no firmware that answers are restarted, and their ROM is asked.
            given: also ports that the file gives to boards by their names or places.
        """
        async with self._asking:
            free = [info for info in among if given or not self._is_given(info)]
            for rom in (False, True) if bare else (False,):
                new = [i for i in free if self._asked.get(i) is None and self._on(i.url, i.usb_path) is None]
                for info, one in zip(new, await identify_all([i.url for i in new], rom=rom), strict=True):
                    self._asked[info] = None if one.mac is None else one.mac.lower()
                found = next((info for info in free if self._asked.get(info) == mac), None)
                if found is not None:
                    return found
            return None

    def _on(self, url: str, usb_path: str | None) -> str | None:
        """The board of this run that is on a port."""
        for name, (key, where) in self._ports.items():
            if key == port_key(url) if None in (where, usb_path) else where == usb_path:
                return name
        return None

    def _is_given(self, info: PortInfo) -> bool:
        places = {place for plan in self._plans for place in (plan.place, *plan.elsewhere)}
        # A serial number that several have gives none of them to anybody.
        alone = sum(other.serial_number == info.serial_number for other in self.ports()) == 1
        return any(
            (place.port is not None and port_key(place.port) == port_key(info.url))
            or (place.usb_path is not None and place.usb_path == info.usb_path)
            or (place.serial_number is not None and place.serial_number == info.serial_number and alone)
            for place in places
        )
