"""Finds the port of a board by what the file says of its place, also after it has come back under another name.

What tells one adapter from another is where it is plugged in and its serial number, both together: many adapters have
the serial number "0001". What tells boards apart is the MAC address, once they have been asked.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.errors import PortNotFound, UsageError
from bridge.ports.base import PortInfo
from bridge.provision.claims import Claims, port_key
from bridge.provision.plan import BoardPlan, Record
from bridge.provision.record import Records


class Finder:
    """Finds one board's port, and finds it again.

    Args:
        plan: of the board.
        records: where boards have been in earlier runs.
        claims: of the run.
    """

    def __init__(self, plan: BoardPlan, records: Records, claims: Claims) -> None:
        self._plan, self._records, self._claims = plan, records, claims
        self._seen: PortInfo | None = None
        self._mac: str | None = None
        self._expected: str | None = None

    @property
    def spot(self) -> dict[str, str | None]:
        """For the record: which board of a file this is, and where it was found."""
        seen = self._seen
        return {
            "name": self._plan.name,
            "port": self._plan.place.port,
            "usb_path": None if seen is None else seen.usb_path,
            "serial_number": None if seen is None else seen.serial_number,
        }

    @property
    def mac(self) -> str | None:
        """The MAC address that the board must have, as far as the file, this run or an earlier one says so."""
        return self._plan.mac or self._expected or self._mac

    async def find(self) -> str:
        """URL of the port.

        Raises:
            PortNotFound: no adapter there is the one.
            UsageError: it cannot be told which one it is, or another board of this run has it.
        """
        place = self._plan.place
        if place.port is not None and ("://" in place.port or place.port.startswith("virtual:")):
            url = place.port
        elif place.port is not None:
            url = await self._by_name(place.port)
        else:
            self._seen = await self._by_adapter()
            url = self._seen.url
        self._claims.take_port(self._plan.name, url, None if self._seen is None else self._seen.usb_path)
        return url

    def recognise(self, mac: str, url: str | None) -> None:
        """The board has told its MAC address.

        Raises:
            UsageError: it is not the one that is meant, or another of this run.
        """
        plan = self._plan
        for wanted, who in (
            (plan.mac, "the file says"),
            (self._expected, f"the one that was on {plan.place.port} has"),
            (self._mac, "the one that this run began with has"),
        ):
            if wanted is not None and mac != wanted:
                raise UsageError(
                    f"The board {plan.name} has the MAC address {mac}, and {who} {wanted}",
                    port=url,
                    remedy="Check which board is on which port.",
                )
        self._claims.take_mac(plan.name, mac, url)
        self._mac = mac

    async def _by_name(self, name: str) -> str:
        ports = self._claims.ports()
        named = next((info for info in ports if port_key(info.url) == port_key(name)), None)
        if self._seen is not None:
            return self._seen_again(self._seen, named, ports, name)
        plan = self._plan
        before = self._records.read(plan.mac) if plan.mac is not None else self._records.named(plan.name, name)
        if before is None or before.port != name or (again := _at(before, ports)) in (None, named):
            if named is not None and plan.mac is None and (before is None or again is None):
                self._leave_to_others(named, ports)
            self._seen = named
            return name  # where there is none, opening it says so
        if named is None:
            # Its name has changed and not its place: it must be that very board, as the file names another port.
            self._expected, self._seen = before.mac, again
            return again.url
        if plan.mac is None:
            raise UsageError(
                f"{name} is another adapter than when {plan.name} was made ready: that one, with the board "
                f"{before.mac}, is {again.url} now",
                port=name,
                remedy="Say in the file which board is meant: by usb_path, by mac, or by the name of its port now.",
            )
        self._seen = await self._claims.with_mac(plan.mac, [named, again], given=True) or named
        return name if self._seen is named else self._seen.url

    def _leave_to_others(self, named: PortInfo, ports: Sequence[PortInfo]) -> None:
        """Refuse a name that has gone to the adapter of another board of this run, of which the file says another."""
        left = {
            (other.name, other.place.port)
            for other in self._claims.others(self._plan.name)
            if other.place.port is not None and port_key(other.place.port) != port_key(named.url)
        }
        for before in self._records.latest() if left else ():
            other = (before.name, before.port)
            if other in left and _at(before, ports) == named:
                raise PortNotFound(
                    f"{named.url} is by now the adapter that {before.name} was on, and that of {self._plan.name} is "
                    "not there",
                    port=named.url,
                    remedy="Plug it in where it was, or say in the file by usb_path or by mac which board is meant.",
                )
            left.discard(other)  # only the last board of that name counts

    def _seen_again(self, seen: PortInfo, named: PortInfo | None, ports: Sequence[PortInfo], name: str) -> str:
        """The port of the adapter that this run has begun with."""
        if named is not None and (_is_same(seen, named) or seen == named):
            return name
        again = [info for info in ports if _is_same(seen, info)]
        if len(again) == 1:
            self._seen = again[0]
            return again[0].url
        if named is None:
            return name
        raise PortNotFound(
            f"The adapter that was {seen.url} is gone, and {name} is another one now",
            port=name,
            remedy="Plug it in where it was, and run it again.",
        )

    async def _by_adapter(self) -> PortInfo:
        plan, place, ports = self._plan, self._plan.place, self._claims.ports()
        if place.usb_path is not None:
            found = [info for info in ports if info.usb_path == place.usb_path]
            what = f"adapter at USB path {place.usb_path}"
        elif place.serial_number is not None:
            found = [info for info in ports if info.serial_number == place.serial_number]
            what = f"adapter with serial number {place.serial_number}"
        else:
            found, what = ports, f"board with MAC address {plan.mac}"
        if len(found) > 1 or place.is_open:
            again = [info for info in found if self._seen is not None and _is_same(self._seen, info)]
            found = again if len(again) == 1 else await self._by_mac(found, what)
        if not found:
            raise PortNotFound(
                f"There is no {what}",
                remedy="Plug the board in, or see which there are with `nodemcu-bridge boards`.",
            )
        return found[0]

    async def _by_mac(self, found: list[PortInfo], what: str) -> list[PortInfo]:
        mac = self._plan.mac
        if mac is None:
            raise UsageError(
                f"There are {len(found)} of {what}: {', '.join(info.url for info in found)}",
                remedy="Say in the file which one is meant, by usb_path or by mac.",
            )
        before = self._records.read(mac)
        first = None if before is None else _at(before, found)
        asked = [[first]] if first is not None else []
        for some in (*asked, found):
            info = await self._claims.with_mac(mac, some, bare=bool(self._plan.image) and some is found)
            if info is not None:
                return [info]
        return []


def _is_same(one: PortInfo, other: PortInfo) -> bool:
    return (
        (one.usb_path is not None or one.serial_number is not None)
        and one.usb_path == other.usb_path
        and one.serial_number == other.serial_number
    )


def _at(before: Record, ports: Sequence[PortInfo]) -> PortInfo | None:
    """The adapter that a board was on, if that can be told."""
    was = PortInfo("", usb_path=before.usb_path, serial_number=before.serial_number)
    again = [info for info in ports if _is_same(was, info)]
    return again[0] if len(again) == 1 else None
