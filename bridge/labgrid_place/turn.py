"""Waiting for a place of a coordinator, in turn.

labgrid's reservations are the turn: for each place that would do there is one, and the coordinator allots a place to
the oldest. Whoever is allotted one first takes it and cancels the rest.

A place stays taken when its holder's machine goes away: labgrid has no time to live (its issue 1739). A lease of this
package prolongs itself by a call that labgrid counts as a change of the place. Whoever waits for a place and sees none
for twice the time that the holder's name says, gives the place back in that one's name. It watches by its own clock
alone.
"""

from __future__ import annotations

import asyncio
import datetime
import math
from collections.abc import Callable, Sequence
from typing import Any

from labgrid.remote.common import ReservationState
from labgrid.remote.generated import labgrid_coordinator_pb2 as messages

from bridge.errors import PlaceBusy, PlaceFailed, RackError
from bridge.labgrid_place.coordinator import Coordinator, holder_of, person, since_of, ttl_of

#: Seconds between signs of life of a reservation, which expires after 60.
_REFRESH_S = 15.0
#: A holder is silent for so many times to live before its place is given back for it.
PATIENCE = 2.0


class Turn:
    """One claim that waits.

    Args:
        coordinator: a session under the name of the lease.
        names: of places, in the order in which they are taken if several are free.
        told: called with who holds what, by place, whenever that changes.
    """

    def __init__(
        self, coordinator: Coordinator, names: Sequence[str], told: Callable[[dict[str, str]], None] | None = None
    ) -> None:
        self._coordinator, self._names, self._told = coordinator, list(names), told
        self._tokens: dict[str, str] = {}
        self._troubles: dict[str, str] = {}
        self._seen: dict[str, tuple[tuple[str, float], float]] = {}
        self._said: dict[str, str] = {}

    async def take(self, timeout: float | None) -> str:
        """Take a place; gives its name.

        Args:
            timeout: seconds to wait, or None for ever. A place that is free is taken with 0 as well.

        Raises:
            PlaceBusy: others had them all, to the end.
            PlaceFailed: none can be taken, in the words of labgrid.
            RackError: the coordinator is gone.
        """
        try:
            return await self._take(asyncio.get_running_loop().time() + (math.inf if timeout is None else timeout))
        finally:
            await self._cancel()

    async def _take(self, deadline: float) -> str:
        self._leave_out_the_absent()
        for name in self._names:
            if await self._reserve(name):
                break  # the others may be another one's
        loop = asyncio.get_running_loop()
        refresh = loop.time() + _REFRESH_S
        while True:
            for name in [name for name in self._names if self._is_ours(name)]:
                try:
                    await self._coordinator.call("AcquirePlace", placename=name)
                    return name
                except RackError as error:
                    await self._give_up(name, error)
            if self._coordinator.is_gone:
                raise RackError(f"The coordinator at {self._coordinator.address} has gone")
            await self._end_the_dead(loop.time())
            if loop.time() >= refresh:
                refresh = loop.time() + _REFRESH_S
                for token in self._tokens:
                    await self._coordinator.call("PollReservation", token=token)
            self._tell()
            if loop.time() >= deadline:
                raise PlaceBusy(f"No place is free: {self._holders_in_words()}")
            try:
                async with asyncio.timeout_at(min([refresh, deadline, *self._ends()])), self._coordinator.news:
                    await self._coordinator.news.wait_for(self._has_news)
            except TimeoutError:
                pass

    def _leave_out_the_absent(self) -> None:
        absent = {name: why for name in self._names if (why := self._coordinator.absent(name)) is not None}
        self._names = [name for name in self._names if name not in absent]
        if not self._names:
            raise PlaceFailed(
                "No board can be had: " + "; ".join(f"{name}: {why}" for name, why in absent.items()),
                remedy="Start the exporter, or see whether the board is plugged in.",
            )

    async def _reserve(self, name: str) -> bool:
        wanted = messages.Reservation.Filter(filter={"name": name})
        answer = await self._coordinator.call("CreateReservation", filters={"main": wanted}, prio=0.0)
        self._tokens[answer.reservation.token] = name
        return ReservationState(answer.reservation.state) is ReservationState.allocated

    async def _give_up(self, name: str, error: RackError) -> None:
        """A place that is ours cannot be taken: something of it fails."""
        self._troubles[name] = error.message
        self._names.remove(name)
        for token in [token for token, of in self._tokens.items() if of == name]:
            del self._tokens[token]
            await self._coordinator.call("CancelReservation", token=token)
        for other in self._names:
            if other not in self._tokens.values() and await self._reserve(other):
                break
        if not self._names:
            raise PlaceFailed("; ".join(f"{place}: {why}" for place, why in self._troubles.items())) from error

    async def _end_the_dead(self, now: float) -> None:
        for name in self._names:
            place = self._coordinator.place(name)
            ttl = ttl_of(place.acquired or "") if place is not None else None
            if ttl is None:
                self._seen.pop(name, None)
                continue
            sign = (place.acquired, place.changed)
            if self._seen.get(name, (None, 0.0))[0] != sign:
                self._seen[name] = sign, now
            elif now - self._seen[name][1] > PATIENCE * ttl:
                await self._coordinator.call("ReleasePlace", placename=name, fromuser=place.acquired)

    def _ends(self) -> list[float]:
        """When holders that are silent from now on count as dead, by the loop's clock."""
        return [at + PATIENCE * (ttl_of(holder) or 0.0) + 0.01 for (holder, _), at in self._seen.values()]

    def _is_ours(self, name: str) -> bool:
        place = self._coordinator.place(name)
        return place is not None and not place.acquired and place.reservation in self._tokens

    def _has_news(self) -> bool:
        changed = any(self._sign(name) != self._seen.get(name, (None, 0.0))[0] for name in self._names)
        return changed or self._coordinator.is_gone or any(map(self._is_ours, self._names))

    def _sign(self, name: str) -> tuple[str, float] | None:
        place: Any = self._coordinator.place(name)
        return (place.acquired, place.changed) if place is not None and ttl_of(place.acquired or "") else None

    def _tell(self) -> None:
        holders = self._holders()
        if self._told is not None and holders and holders != self._said:
            self._said = holders
            self._told(holders)

    def _holders(self) -> dict[str, str]:
        found = {}
        for name in self._names:
            place = self._coordinator.place(name)
            holder = holder_of(place) if place is not None else None
            if holder is not None:
                since = datetime.datetime.fromtimestamp(holder[1]).strftime("%Y-%m-%d %H:%M:%S")
                found[name] = f"{holder[0]} since {since}"
        return found

    def _holders_in_words(self) -> str:
        held = [f"{name} is held by {holder}" for name, holder in self._holders().items()]
        waited = [f"others wait for {name}" for name in self._names if name not in self._holders()]
        return "; ".join([*held, *waited, *(f"{name}: {why}" for name, why in self._troubles.items())])

    async def _cancel(self) -> None:
        tokens, self._tokens = self._tokens, {}
        for token in tokens:
            if self._coordinator.is_gone:
                return
            try:
                await self._coordinator.call("CancelReservation", token=token)
            except RackError:
                pass  # it has expired


async def is_wanted(coordinator: Coordinator, name: str) -> bool:
    """True if somebody waits for a place, and would take it, by labgrid's reservations.

    Raises:
        RackError: the coordinator is gone.
    """
    return any(name in one["places"] for one in await waiting(coordinator))


async def waiting(coordinator: Coordinator) -> list[dict[str, Any]]:
    """Who waits for places, in turn: `owner`, `since` in seconds since 1970, and the `places` that would do.

    Raises:
        RackError: the coordinator is gone.
    """
    found: dict[str, dict[str, Any]] = {}
    reservations = (await coordinator.call("GetReservations")).reservations
    for one in sorted(reservations, key=lambda one: (-one.prio, one.created)):
        if ReservationState(one.state) is ReservationState.waiting:
            wanted = dict(one.filters["main"].filter).items()
            # A claim of this package has a reservation for each place, under a name of its own; another one has one.
            who = found.setdefault(
                one.owner if since_of(one.owner) else one.token,
                {"owner": person(one.owner), "since": one.created, "places": []},
            )
            who["places"] += [
                name
                for name, place in sorted(coordinator.session.places.items())
                if wanted <= {**place.tags, "name": name}.items() and name not in who["places"]
            ]
    return list(found.values())
