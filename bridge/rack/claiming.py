"""Gets leases from this process's keeper: claims, finds the boards' ports, and has them served."""

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

from bridge.errors import BridgeError, NoPlace, PlaceBusy, PlaceFailed, PortBusy, PortError, PortNotFound
from bridge.ports.base import CONSOLE_BAUD
from bridge.ports.lock import own_command
from bridge.ports.serial import open_error
from bridge.ports.socket import split_url
from bridge.rack.find import Finder
from bridge.rack.health import Evidence, quarantined, record_failure
from bridge.rack.holder import Holder, of_this_process
from bridge.rack.lease import KeptLease, Lease
from bridge.rack.model import Place
from bridge.rack.state import board_key, is_device, port_lock
from bridge.rack.told import plain, seconds, whole
from bridge.trace.recorder import public_url

#: Characters of a text that another user may have written.
_SHOWN = 200


class _Bad(Exception):
    """A place whose port does not work."""

    def __init__(self, place: Place, error: BridgeError) -> None:
        super().__init__(str(error))
        self.place, self.error = place, error
        self.order: object = None


class Claiming:
    """Claims of one rack.

    Args:
        folder: of locks and records.
        ttl: of leases, in seconds.
        finder: finds the ports of boards.
    """

    def __init__(self, folder: Path, ttl: float, finder: Finder) -> None:
        self._folder, self._ttl, self._finder = folder, ttl, finder

    async def claim(self, count: int, places: Sequence[Place], purpose: str, timeout: float | None) -> list[Lease]:
        """Leases of some of these places; see `Rack.claim_many`. A place that does not work is noted and left out."""
        until = None if timeout is None else time.monotonic() + timeout
        order: object = None
        left = list(places)
        while True:
            seconds = None if until is None else max(0.0, until - time.monotonic())
            try:
                leases = await self._attempt(count, left, purpose, seconds, order)
            except _Bad as bad:
                if not isinstance(bad.error, PortBusy):
                    record_failure(
                        bad.place, Evidence(bad.error.message, port=bad.error.port or ""), folder=self._folder
                    )
                order = bad.order  # it keeps its turn
                left = [place for place in left if place.name != bad.place.name]
                if len(left) < count:
                    raise bad.error from None
                continue
            if leases is not None:
                return leases
            left = healthy(count, left, self._folder)

    async def _attempt(
        self, count: int, places: Sequence[Place], purpose: str, seconds: float | None, order: object
    ) -> list[Lease] | None:
        """None if it has to be tried again."""
        holder = _holder()
        began = time.monotonic()
        future = holder.ask(
            {
                "do": "claim", "count": count, "folder": str(self._folder), "ttl": self._ttl, "seconds": seconds,
                "order": order, "places": [_wanted(place) for place in places],
                "about": {
                    "pid": os.getpid(), "user": _user(), "host": socket.gethostname(), "purpose": purpose,
                    "command": own_command(sys.argv),
                },
            },
            ttl=self._ttl,
        )  # fmt: skip
        try:
            answer = await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            holder.cancel(future)
            raise
        if "again" in answer:  # this process stood still for so long that it lost its turn
            return None
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
        for number in numbers:
            holder.hold(number, self._ttl)
        leases: list[Lease] = []
        try:
            if any(quarantined(named[got["place"]], folder=self._folder) for got in answer["got"]):
                await self._give_back(holder, numbers)  # since it began to wait
                return None
            for got in answer["got"]:
                leases.append(await self._serve(holder, named[got["place"]], got))
        except BaseException as error:
            if isinstance(error, _Bad):
                error.order = answer["order"]
            await self._give_back(holder, numbers)
            raise
        return leases

    async def _give_back(self, holder: Holder, numbers: Sequence[int]) -> None:
        answers = [holder.ask({"do": "release", "lease": number}) for number in numbers]
        for number in numbers:
            holder.let_go(number)
        await asyncio.gather(*map(asyncio.wrap_future, answers))

    async def _serve(self, holder: Holder, place: Place, got: Mapping[str, Any]) -> Lease:
        try:
            found = await self._finder.find(place)
        except BridgeError as error:
            raise _Bad(place, error) from error
        url = found.url
        where: dict[str, Any]
        if is_device(url):
            where = {"path": url, "baud": CONSOLE_BAUD}
        else:
            host, tcp_port, _ = split_url(url)
            try:
                addresses = await asyncio.get_running_loop().getaddrinfo(host, tcp_port, type=socket.SOCK_STREAM)
            except OSError as error:
                raise _Bad(place, PortNotFound(f"{place.name}: there is no host {host}", port=url)) from error
            where = {"family": addresses[0][0], "address": addresses[0][4]}
        lock = None if _fixed(place) else port_lock(url)
        answer = await asyncio.wrap_future(
            holder.ask({"do": "serve", "lease": got["lease"], "port": public_url(url), "port_lock": lock, **where})
        )
        if "tcp_port" not in answer:
            raise _Bad(place, _serve_error(place, url, answer))
        lease = KeptLease(
            place, url, got["generation"], holder=holder, number=got["lease"],
            held=holder.held(got["lease"]), tcp_port=answer["tcp_port"],
            queue=(str(self._folder), board_key(place)), places=self._finder.places,
        )  # fmt: skip
        if found.note:
            lease.notes.append(found.note)
        if got["trouble"]:
            lease.notes.append(
                f"{place.name} ({url}): who holds it cannot be written down in {self._folder} ({got['trouble']}). "
                "Make room there; the lease itself is good."
            )
        return lease


def healthy(count: int, places: Sequence[Place], folder: Path) -> list[Place]:
    """Those of some places that are not quarantined.

    Raises:
        NoPlace: they are fewer than `count`; says which are quarantined, and how to end that.
    """
    sick = {place.name: found for place in places if (found := quarantined(place, folder=folder)) is not None}
    well = [place for place in places if place.name not in sick]
    if len(well) >= count:
        return well
    text = "; ".join(f"{place.name} ({place.where}) is {sick[place.name]}" for place in places if place.name in sick)
    raise NoPlace(text, remedy=f"Look after the board, then: nodemcu-bridge rack heal {next(iter(sick))}")


def _fixed(place: Place) -> bool:
    """True if the port is known before the board is looked for."""
    return place.port is not None and (place.mac is None or not is_device(place.port))


def _wanted(place: Place) -> Mapping[str, Any]:
    lock = port_lock(place.port) if place.port is not None and _fixed(place) else None
    return {"name": place.name, "board": board_key(place), "port_lock": lock}


def _serve_error(place: Place, url: str, answer: Mapping[str, Any]) -> BridgeError:
    if "absent" in answer:
        return PortNotFound(
            f"{place.name}: nobody answers at {url} ({answer['absent']})",
            port=url,
            remedy="See whether the server runs there and whether host and TCP port are right.",
        )
    if "busy" in answer:
        return PortBusy(f"{place.name}: {url} is in use", port=url, remedy="Wait for it or stop it.")
    if is_device(url) and answer.get("errno") is not None:
        return open_error(url, OSError(answer["errno"], answer["trouble"]))
    why = answer.get("trouble") or answer.get("gone") or "its lease is lost"
    return PortError(f"{place.name}: {url} cannot be opened ({why})", port=url)


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
    words = [
        f"{found['place']} {held_by(found['by'])}" + (f" ({found['doubt']})" if found["doubt"] else "")
        for found in holders
        if found["held"]
    ]
    who = "; ".join(words) or "others came first"
    return PlaceBusy(f"No board became free within {waited:.1f} s: {who}", remedy="Wait longer, or ask its holder.")


def held_by(record: Mapping[str, Any] | None) -> str:
    """Who holds a place, from its record, in words."""
    if record is None:
        return "is held by somebody who is not written down"
    begun = time.localtime(seconds(record.get("since")) or 0)
    same_day = time.strftime("%Y-%m-%d", begun) == time.strftime("%Y-%m-%d")
    command, user, what = (plain(record.get(key), _SHOWN) for key in ("command", "user", "purpose"))
    purpose = f" for {what!r}" if what else ""
    return (
        f"is held by PID {whole(record.get('pid'))} ({', '.join(filter(None, (command, user)))}){purpose} since "
        f"{time.strftime('%H:%M:%S' if same_day else '%Y-%m-%d %H:%M', begun)}"
    )
