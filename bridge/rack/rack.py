"""A rack: its places, and how one gets a lease of a board."""

from __future__ import annotations

import asyncio
import getpass
import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bridge.errors import BridgeError, NoPlace, PlaceBusy, PlaceFailed, PortBusy, PortError, PortNotFound, UsageError
from bridge.ports.base import CONSOLE_BAUD
from bridge.ports.lock import lock_folder, lock_key, lock_name, own_command
from bridge.ports.open import check_options
from bridge.ports.serial import open_error
from bridge.ports.socket import split_url
from bridge.rack.holder import Holder, of_this_process
from bridge.rack.lease import KeptLease, Lease
from bridge.rack.model import Place, RackFile
from bridge.rack.needs import Needs
from bridge.rack.own_places import OwnPlaces

_ANY = Needs()


def state_folder() -> Path:
    """Where racks keep locks and records unless their file says another place; the same for all users."""
    return lock_folder().with_name("nodemcu-bridge-racks")


class Rack:
    """The places of a rack file.

    Args:
        file: what the file says.
        folder: of locks and records, in place of the file's; for tests.
    """

    def __init__(self, file: RackFile, *, folder: Path | None = None) -> None:
        self._file = file
        self._folder = folder or (Path(file.state) if file.state is not None else state_folder())
        self._own = OwnPlaces()

    @classmethod
    def of_ports(cls, urls: Sequence[str], *, ttl: float = 30.0, folder: Path | None = None) -> Rack:
        """A rack of ports: its places are board-1, board-2, ….

        Args:
            urls: as for `bridge.open_board`.
            ttl: seconds after which a holder that stands still loses its lease.
            folder: of locks and records; for tests.

        Raises:
            UsageError: one is no port.
        """
        for url in urls:
            check_options(url)
        places = [Place(name=f"board-{number}", port=url) for number, url in enumerate(urls, 1)]
        return cls(RackFile(version=1, ttl=ttl, places=places), folder=folder)

    @property
    def places(self) -> tuple[Place, ...]:
        """All places, in the file's order."""
        return tuple(self._file.places)

    @property
    def folder(self) -> Path:
        """Where locks and records are."""
        return self._folder

    async def claim(self, needs: Needs = _ANY, *, purpose: str = "", timeout: float | None = None) -> Lease:
        """Get a board; waits in turn while others hold those that fit.

        Args:
            needs: what it must have.
            purpose: what for, in a few words; others who wait are told it.
            timeout: seconds to wait; None for ever.

        Raises:
            NoPlace: no place of the rack can ever be that; says what is missing.
            PlaceBusy: others hold what fits; says who, since when.
            PlaceFailed: the state folder cannot be used.
            PortError: the port of the only place that fits does not work.
        """
        return (await self.claim_many(1, needs, purpose=purpose, timeout=timeout))[0]

    async def claim_many(
        self, count: int, needs: Needs = _ANY, *, purpose: str = "", timeout: float | None = None
    ) -> list[Lease]:
        """Get several boards at once: all or none, and nothing is held while it waits. See `claim`."""
        if count < 1:
            raise UsageError(f"{count} boards cannot be claimed", remedy="Claim at least one.")
        until = None if timeout is None else time.monotonic() + timeout
        fitting = self._fitting(count, needs)
        own = [place for place in fitting if place.is_virtual]
        if len(own) >= count and (len(own) == len(fitting) or self._own.free(own) >= count):
            return await self._own.claim(count, own, timeout)
        kept = [place for place in fitting if not place.is_virtual]
        order = None
        while True:
            left = None if until is None else max(0.0, until - time.monotonic())
            try:
                return await self._claim_kept(count, kept, purpose, left, order)
            except _Bad as bad:
                order = bad.order  # it keeps its turn
                kept = [place for place in kept if place.name != bad.place.name]
                if len(kept) < count:
                    raise bad.error from None

    def _fitting(self, count: int, needs: Needs) -> list[Place]:
        fitting = needs.fitting(self.places)
        if len(fitting) >= count:
            return fitting
        if count > 1 and fitting:
            what = f"{count} boards with {needs} are wanted, and {len(fitting)} places of the rack fit"
            raise NoPlace(what, remedy="Ask for less, or add places to the rack.")
        lacks = "; ".join(f"{place.name} {', '.join(needs.missing(place))}" for place in self.places)
        raise NoPlace(f"No place of the rack fits ({needs}): {lacks}", remedy="Ask for less, or add one to the rack.")

    async def _claim_kept(
        self, count: int, places: Sequence[Place], purpose: str, timeout: float | None, order: object
    ) -> list[Lease]:
        holder = _holder()
        began = time.monotonic()
        future = holder.ask(
            {
                "do": "claim", "count": count, "folder": str(self._folder), "ttl": self._file.ttl, "seconds": timeout,
                "order": order,
                "places": [
                    {"name": place.name, "board": board_key(place), "port_lock": _port_lock(place.port)}
                    for place in places
                ],
                "about": {
                    "pid": os.getpid(), "user": _user(), "host": socket.gethostname(), "purpose": purpose,
                    "command": own_command(sys.argv),
                },
            },
            ttl=self._file.ttl,
        )  # fmt: skip
        try:
            answer = await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            holder.cancel(future)
            raise
        if "busy" in answer:
            raise _busy(answer["busy"], time.monotonic() - began)
        if "trouble" in answer:
            raise PlaceFailed(
                f"{places[0].name} cannot be locked in {self._folder} ({answer['trouble']})",
                port=places[0].where,
                remedy="Make room there, or say in the rack file by `state` where there is some.",
            )
        if "got" not in answer:
            raise PlaceFailed(f"{places[0].name} cannot be leased: {answer.get('gone')}", port=places[0].where)
        named = {place.name: place for place in places}
        numbers = [got["lease"] for got in answer["got"]]
        helds = [holder.hold(number, self._file.ttl) for number in numbers]
        leases: list[Lease] = []
        try:
            for got, held in zip(answer["got"], helds, strict=True):
                place = named[got["place"]]
                assert place.port is not None
                tcp_port = await self._serve(holder, place, place.port, got["lease"])
                lease = KeptLease(
                    place, place.port, got["generation"], holder=holder, number=got["lease"], held=held,
                    tcp_port=tcp_port, queue=(str(self._folder), board_key(place)),
                )  # fmt: skip
                if got["trouble"]:
                    lease.notes.append(self._unwritten(place, got["trouble"]))
                leases.append(lease)
        except BaseException as error:
            if isinstance(error, _Bad):
                error.order = answer["order"]
            for number in numbers:
                holder.ask({"do": "release", "lease": number})
                holder.let_go(number)
            raise
        return leases

    async def _serve(self, holder: Holder, place: Place, url: str, number: int) -> int:
        where: dict[str, Any]
        if url.lower().startswith(("rfc2217:", "socket:")):
            host, tcp_port, _ = split_url(url)
            try:
                found = await asyncio.get_running_loop().getaddrinfo(host, tcp_port, type=socket.SOCK_STREAM)
            except OSError as error:
                raise _Bad(place, PortNotFound(f"{url}: there is no host {host}", port=url)) from error
            where = {"family": found[0][0], "address": found[0][4]}
        else:
            where = {"path": url, "baud": CONSOLE_BAUD}
        answer = await asyncio.wrap_future(
            holder.ask({"do": "serve", "lease": number, "port": url, "port_lock": None, **where})
        )
        if "tcp_port" in answer:
            return int(answer["tcp_port"])
        if "absent" in answer:
            raise _Bad(
                place,
                PortNotFound(
                    f"{place.name}: nobody answers at {url} ({answer['absent']})",
                    port=url,
                    remedy="See whether the server runs there and whether host and TCP port are right.",
                ),
            )
        if "busy" in answer:
            raise _Bad(place, PortBusy(f"{place.name}: {url} is in use", port=url, remedy="Wait for it or stop it."))
        if "path" in where and answer.get("errno") is not None:
            raise _Bad(place, open_error(url, OSError(answer["errno"], answer["trouble"])))
        why = answer.get("trouble") or answer.get("gone") or "its lease is lost"
        raise _Bad(place, PortError(f"{place.name}: {url} cannot be opened ({why})", port=url))

    def _unwritten(self, place: Place, why: str) -> str:
        return (
            f"{place.name} ({place.where}): who holds it cannot be written down in {self._folder} ({why}). "
            "Make room there; the lease itself is good."
        )


class _Bad(Exception):
    """A place whose port does not work."""

    def __init__(self, place: Place, error: BridgeError) -> None:
        super().__init__(str(error))
        self.place, self.error = place, error
        self.order: object = None


def board_key(place: Place) -> str:
    """What a board is called among locks: by its MAC where that is known, else by its port."""
    if place.mac is not None:
        return lock_name(f"mac {place.mac}")
    if place.port is not None:
        return lock_name(lock_key(place.port) or place.port)
    return lock_name(place.where)


def _port_lock(url: str | None) -> tuple[str, str] | None:
    key = None if url is None else lock_key(url)
    return None if key is None else (str(lock_folder()), lock_name(key))


def _holder() -> Holder:
    try:
        return of_this_process()
    except OSError as error:
        raise PlaceFailed(f"The keeper of leases cannot be started ({error.strerror or error})") from error


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def _busy(holders: Sequence[Mapping[str, Any]], waited: float) -> PlaceBusy:
    words = [f"{found['place']} {held_by(found['by'])}" for found in holders if found["held"]]
    who = "; ".join(words) or "others came first"
    return PlaceBusy(f"No board became free within {waited:.1f} s: {who}", remedy="Wait longer, or ask its holder.")


def held_by(record: Mapping[str, Any] | None) -> str:
    """Who holds a place, from its record, in words."""
    if record is None:
        return "is held by somebody who is not written down"
    begun = time.localtime(float(record.get("since") or 0))
    same_day = time.strftime("%Y-%m-%d", begun) == time.strftime("%Y-%m-%d")
    purpose = f" for {record['purpose']!r}" if record.get("purpose") else ""
    return (
        f"is held by PID {record.get('pid')} ({record.get('command')}, {record.get('user')}){purpose} since "
        f"{time.strftime('%H:%M:%S' if same_day else '%Y-%m-%d %H:%M', begun)}"
    )
